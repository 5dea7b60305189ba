"""Forty dives planned: where, how deep, how the frames look, and which animals stand where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from finding_nemo.synthetic.species import DEEP_M, SPECIES, Habitat
from finding_nemo.synthetic.water import Look

_VEHICLES = ("Pencil", "Charcoal")
_FIRST_DAY = datetime(2015, 3, 2)
_STOP_FRAMES = 6


@dataclass(frozen=True, slots=True)
class Animal:
    """One animal at one stop.

    Attributes:
        species: Its place in `SPECIES`.
        x_m: To the right of the stop's middle.
        y_m: Ahead of it.
        up_m: Over the bottom; in the water column, over the middle of the frame.
        size_m: Its length.
        seed: Decides its shape.
    """

    species: int
    x_m: float
    y_m: float
    up_m: float
    size_m: float
    seed: int


@dataclass(frozen=True, slots=True)
class Stop:
    """A few frames, seconds apart, of the same animals."""

    started: datetime
    animals: tuple[Animal, ...]
    n_frames: int
    seed: int


@dataclass(frozen=True, slots=True)
class Dive:
    """One dive.

    Attributes:
        vehicle: Who filmed.
        number: The dive's number.
        depth_m: Of the bottom, or of the vehicle in the water column.
        habitat: "mud", "rock" or "water".
        above_m: Height of the camera over the bottom.
        down: How far it looks down, radians.
        look: Its water and camera.
        stops: What it saw.
        seed: Decides its bottom.
    """

    vehicle: str
    number: int
    depth_m: float
    habitat: Habitat
    above_m: float
    down: float
    look: Look
    stops: tuple[Stop, ...]
    seed: int


def plan_dives(
    *, n_dives: int, n_images: int, seed: int
) -> tuple[tuple[Dive, ...], frozenset[int]]:
    """Return the dives, and the places of those held out for evaluation.

    A quarter of the dives is for evaluation; more than half of those go below 800 m, where the
    others never go. Images a dive fall off steeply, as they do in archives.
    """
    rng = np.random.default_rng([seed, 1])
    n_eval = max(n_dives // 4, 2)
    held_out = frozenset(range(n_dives - n_eval, n_dives))
    shares = rng.permutation(1 / (np.arange(n_dives) + 3.0))
    counts = np.maximum(np.round(shares / shares.sum() * n_images).astype(int), 2)
    dives = []
    for position in range(n_dives):
        deep = position in held_out and (position % 5) < 3
        depth = rng.uniform(DEEP_M + 50, 1800) if deep else rng.uniform(220, DEEP_M - 40)
        dives.append(_dive(position, float(depth), int(counts[position]), rng))
    return tuple(dives), held_out


def _dive(position: int, depth_m: float, n_images: int, rng: np.random.Generator) -> Dive:
    habitats: tuple[Habitat, ...] = ("mud", "rock", "water")
    # By turns, so that even a few dives show every habitat.
    habitat = habitats[(0, 1, 0, 2, 1)[position % 5]]
    vehicle = _VEHICLES[position % 2]
    day = _FIRST_DAY + timedelta(days=int(position * 17 + rng.integers(0, 9)))
    stops = []
    start = day + timedelta(hours=7, seconds=int(rng.integers(0, 7200)))
    local = _abundance(habitat, depth_m, rng)
    above_m, down = float(rng.uniform(0.8, 1.5)), float(rng.uniform(0.5, 0.95))
    while n_images > 0:
        n_frames = min(int(rng.integers(1, _STOP_FRAMES + 1)), n_images)
        animals = _animals(local, habitat, above_m, down, rng)
        stops.append(Stop(start, animals, n_frames, int(rng.integers(2**31))))
        start += timedelta(seconds=int(rng.integers(90, 1500)))
        n_images -= n_frames
    return Dive(
        vehicle=vehicle,
        number=100 + position,
        depth_m=depth_m,
        habitat=habitat,
        above_m=above_m,
        down=down,
        look=_look(vehicle, habitat, rng),
        stops=tuple(stops),
        seed=int(rng.integers(2**31)),
    )


def _look(vehicle: str, habitat: Habitat, rng: np.random.Generator) -> Look:
    clear = rng.uniform(0.7, 1.35)
    red, green, blue = 0.24 * clear, 0.075 * clear, 0.06 * clear
    hue = rng.uniform(0, 1)
    veil = (0.012 + 0.01 * hue, 0.085 + 0.05 * hue, 0.15 - 0.05 * hue)
    thick = rng.uniform(0.05, 0.11) * (1.3 if habitat == "water" else 1.0)
    return Look(
        loss_per_m=(red, green, blue),
        veil=veil,
        veil_per_m=float(thick),
        beam=(float(rng.uniform(-0.12, 0.12)), float(rng.uniform(-0.02, 0.18))),
        beam_width=float(rng.uniform(0.24, 0.4)),
        exposure=float(rng.uniform(0.95, 1.5)),
        grain=float(rng.uniform(0.008, 0.022)),
        blur_px=float(rng.uniform(0.2, 0.8)),
        snow=int(rng.integers(60, 420) if habitat == "water" else rng.integers(15, 160)),
        overlay=vehicle == _VEHICLES[1],
    )


def _abundance(
    habitat: Habitat, depth_m: float, rng: np.random.Generator
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return how likely each species is on this dive: a few of those that could live there."""
    weights = np.array(
        [
            species.commonness
            * (habitat in species.habitats)
            * (not species.deep or depth_m > DEEP_M)
            * (3.0 if species.deep else 1.0)
            for species in SPECIES
        ]
    )
    weights = weights**0.75 * rng.lognormal(0, 1.1, len(weights))
    return np.asarray(weights / weights.sum())


def _spot(above_m: float, down: float, rng: np.random.Generator) -> tuple[float, float]:
    """Return a place on the bottom, (right, ahead) in metres, that is somewhere in the frame."""
    across, fall = rng.uniform(-0.52, 0.52), rng.uniform(-0.24, 0.26)
    reach = above_m / (np.sin(down) + fall * np.cos(down))
    return reach * across, reach * (np.cos(down) - fall * np.sin(down))


def _animals(
    local: Sequence[float] | np.ndarray[tuple[int], np.dtype[np.float64]],
    habitat: Habitat,
    above_m: float,
    down: float,
    rng: np.random.Generator,
) -> tuple[Animal, ...]:
    kinds = rng.choice(len(SPECIES), size=1 + rng.poisson(1.5), p=local)
    animals: list[Animal] = []
    for kind in sorted(set(kinds.tolist())):
        species = SPECIES[kind]
        n = 1 + int(rng.integers(0, species.clump)) if rng.random() < 0.7 else 1
        middle = _spot(above_m, down, rng)
        for _ in range(n):
            animals.append(
                Animal(
                    species=kind,
                    x_m=float(middle[0] + rng.normal(0, 0.25) * (n > 1)),
                    y_m=float(middle[1] + rng.normal(0, 0.3) * (n > 1)),
                    up_m=float(rng.normal(0, 0.3)) if habitat == "water" else 0.0,
                    size_m=float(species.size_m * rng.lognormal(-0.05, 0.22)),
                    seed=int(rng.integers(2**31)),
                )
            )
    return tuple(animals)
