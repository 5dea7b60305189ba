"""One frame of a planned dive, drawn, with the boxes of its animals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from PIL import Image

from finding_nemo.core.arrays import Float32s
from finding_nemo.core.records import Box
from finding_nemo.synthetic.canvas import Canvas
from finding_nemo.synthetic.scene_plan import Animal, Dive, Stop
from finding_nemo.synthetic.seafloor import Floor, View, make_floor
from finding_nemo.synthetic.species import SPECIES
from finding_nemo.synthetic.water import beam, camera, snow, through_water, write_overlay

WIDTH_PX, HEIGHT_PX = 640, 360
# An animal that shows less of itself, or is smaller, is not annotated, as people would do.
_LEAST_SHOWN = 0.45
_LEAST_BOX_PX = 8
_LARGEST_SPRITE_PX = 150
_OPEN_WATER_M = 2.6


@dataclass(frozen=True)
class DrawnFrame:
    """A frame and what is in it."""

    image: Image.Image
    taken: datetime
    boxes: tuple[Box, ...]


def draw_dive(dive: Dive) -> Iterator[DrawnFrame]:
    """Yield the frames of a dive in order."""
    rng = np.random.default_rng(dive.seed)
    floor = None if dive.habitat == "water" else make_floor(dive.habitat, rng)
    for stop in dive.stops:
        yield from _draw_stop(dive, stop, floor)


def _draw_stop(dive: Dive, stop: Stop, floor: Floor | None) -> Iterator[DrawnFrame]:
    rng = np.random.default_rng(stop.seed)
    origin = rng.uniform(0, 6, 2)
    drift = rng.normal(0, 0.05, 2)
    taken = stop.started
    for step in range(stop.n_frames):
        moved = step * drift + rng.normal(0, 0.02, 2)
        view = View(
            width_px=WIDTH_PX,
            height_px=HEIGHT_PX,
            above_m=dive.above_m * float(1 + rng.normal(0, 0.03)),
            down=dive.down + float(rng.normal(0, 0.015)),
            x_m=float(moved[0]),
            y_m=float(moved[1]),
        )
        yield _draw(dive, stop, floor, view, (float(origin[0]), float(origin[1])), taken, rng)
        taken += timedelta(seconds=int(rng.integers(1, 8)))


def _draw(
    dive: Dive,
    stop: Stop,
    floor: Floor | None,
    view: View,
    origin: tuple[float, float],
    taken: datetime,
    rng: np.random.Generator,
) -> DrawnFrame:
    lamps = beam((view.height_px, view.width_px), dive.look)
    frame = _background(floor, view, origin, dive, lamps)
    placed = sorted(
        ((_place(animal, view, dive), animal) for animal in stop.animals), key=lambda p: -p[0][2]
    )
    boxes = []
    for (x_px, y_px, distance_m), animal in placed:
        box = _put(frame, lamps, animal, (x_px, y_px, distance_m), dive, view)
        if box is not None:
            boxes.append(box)
    snow(frame, dive.look, rng)
    image = camera(frame, dive.look, rng)
    if dive.look.overlay:
        where = f"{dive.depth_m:7.1f} m   {dive.vehicle} {dive.number}"
        write_overlay(image, (taken.strftime("%Y-%m-%d  %H:%M:%S UTC"), where))
    return DrawnFrame(image, taken, tuple(boxes))


def _background(
    floor: Floor | None, view: View, origin: tuple[float, float], dive: Dive, lamps: Float32s
) -> Float32s:
    far = np.full((view.height_px, view.width_px), 9.0, dtype=np.float32)
    nothing = np.zeros((view.height_px, view.width_px, 3), dtype=np.float32)
    if floor is None:
        return through_water(nothing, far, dive.look) * lamps[..., np.newaxis]
    x_m, y_m, distance_m = view.on_bottom()
    seen = np.isfinite(distance_m)
    distance_m = np.where(seen, distance_m, far).astype(np.float32)
    light = floor.look_up(x_m + np.float32(origin[0]), y_m + np.float32(origin[1]))
    light = np.where(seen[..., np.newaxis], light, nothing)
    # The lamps' light also spreads with distance.
    spread = lamps * np.minimum(1.6 / (0.4 + 0.5 * distance_m), 1.6)
    return through_water(light * spread[..., np.newaxis], distance_m, dive.look)


def _place(animal: Animal, view: View, dive: Dive) -> tuple[float, float, float]:
    if dive.habitat != "water":
        return view.on_screen(animal.x_m, animal.y_m)
    depth = 0.9 + _OPEN_WATER_M * (animal.y_m / 2.4) ** 2 + view.y_m
    x = view.width_px / 2 + view.focal_px * (animal.x_m * 0.9 - view.x_m) / depth
    y = view.height_px / 2 + view.focal_px * (animal.up_m + 0.3 * view.x_m) / depth
    return x, y, max(depth, 0.5)


def _put(
    frame: Float32s,
    lamps: Float32s,
    animal: Animal,
    position: tuple[float, float, float],
    dive: Dive,
    view: View,
) -> Box | None:
    """Draw one animal into the frame, in place; return its box if it is worth one."""
    species = SPECIES[animal.species]
    x_px, y_px, distance_m = position
    size_px = int(view.focal_px * animal.size_m / distance_m * 1.2)
    if size_px < _LEAST_BOX_PX or size_px > 2 * view.height_px:
        return None
    sprite = _sprite(animal, size_px)
    if species.flat and dive.habitat != "water":
        sprite = _squeezed(sprite, float(np.clip(view.above_m / distance_m * 1.1, 0.35, 1.0)))
    height, width = sprite.shape[:2]
    stands = dive.habitat != "water" and not species.flat
    left, top = int(x_px - width / 2), int(y_px - height * (0.82 if stands else 0.5))
    return _blend(frame, lamps, sprite, (left, top), distance_m, dive, animal.species + 1)


def _sprite(animal: Animal, size_px: int) -> Float32s:
    """Return the animal lit from the lamps, shape (size, size, 4)."""
    rng = np.random.default_rng(animal.seed)
    species = SPECIES[animal.species]
    canvas = Canvas(min(max(int(size_px * 1.3), 40), _LARGEST_SPRITE_PX))
    species.body(canvas, rng, species.colour)
    lit = canvas.lit()
    if not species.flat and rng.random() < 0.5 and species.supercategory in _TURNABLE:
        lit = lit[:, ::-1]
    # Colours are blended as they are seen, so they must be weighted by alpha before resizing.
    weighted = np.dstack([lit[..., :3] * lit[..., 3:], lit[..., 3]])
    return _resized(weighted, size_px, size_px)


_TURNABLE = frozenset({"Fish", "Eel", "Shrimp", "Sea cucumber"})


def _resized(layers: Float32s, width: int, height: int) -> Float32s:
    planes = [
        np.asarray(
            Image.fromarray(np.ascontiguousarray(layers[..., k])).resize(
                (width, height),
                Image.Resampling.BOX if width < layers.shape[1] else Image.Resampling.BILINEAR,
            )
        )
        for k in range(layers.shape[2])
    ]
    return np.stack(planes, axis=-1).astype(np.float32)


def _squeezed(sprite: Float32s, share: float) -> Float32s:
    return _resized(sprite, sprite.shape[1], max(int(sprite.shape[0] * share), 3))


def _blend(
    frame: Float32s,
    lamps: Float32s,
    sprite: Float32s,
    corner: tuple[int, int],
    distance_m: float,
    dive: Dive,
    category_id: int,
) -> Box | None:
    left, top = corner
    height, width = sprite.shape[:2]
    x0, x1 = max(left, 0), min(left + width, frame.shape[1])
    y0, y1 = max(top, 0), min(top + height, frame.shape[0])
    if x1 - x0 < 3 or y1 - y0 < 3:
        return None
    shown = sprite[y0 - top : y1 - top, x0 - left : x1 - left]
    alpha = shown[..., 3:]
    if dive.habitat != "water":
        _shadow(frame, sprite[..., 3], (left, top))
    spread = min(1.6 / (0.4 + 0.5 * distance_m), 1.6)
    light = shown[..., :3] * (lamps[y0:y1, x0:x1, np.newaxis] * np.float32(spread))
    far = np.full(alpha.shape[:2], distance_m, dtype=np.float32)
    seen = through_water(light, far, dive.look) - (1 - alpha) * through_water(
        np.zeros_like(light), far, dive.look
    )
    frame[y0:y1, x0:x1] = seen + frame[y0:y1, x0:x1] * (1 - alpha)
    return _box(sprite[..., 3], (left, top), (x0, y0, x1, y1), category_id)


def _shadow(frame: Float32s, alpha: Float32s, corner: tuple[int, int]) -> None:
    """Darken the bottom under the animal, away from the lamps, in place."""
    height, width = alpha.shape
    left, top = corner[0] + width // 14, corner[1] + height // 9
    x0, x1 = max(left, 0), min(left + width, frame.shape[1])
    y0, y1 = max(top, 0), min(top + height, frame.shape[0])
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    small = _resized(alpha[..., np.newaxis], max(width // 5, 2), max(height // 5, 2))
    soft = _resized(small, width, height)[..., 0]
    part = soft[y0 - top : y1 - top, x0 - left : x1 - left, np.newaxis]
    frame[y0:y1, x0:x1] *= 1 - 0.5 * np.clip(part, 0, 1)


def _box(
    alpha: Float32s, corner: tuple[int, int], window: tuple[int, int, int, int], category_id: int
) -> Box | None:
    solid = alpha > 0.2
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    if not rows.size:
        return None
    x0, y0, x1, y1 = window
    left, right = corner[0] + int(columns[0]), corner[0] + int(columns[-1]) + 1
    top, bottom = corner[1] + int(rows[0]), corner[1] + int(rows[-1]) + 1
    width, height = min(right, x1) - max(left, x0), min(bottom, y1) - max(top, y0)
    whole = (right - left) * (bottom - top)
    if min(width, height) < _LEAST_BOX_PX or width * height < _LEAST_SHOWN * whole:
        return None
    return Box(category_id, float(max(left, x0)), float(max(top, y0)), float(width), float(height))
