"""Small pictures of all frames on sheets of 64, so that a page of 10,000 loads few files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image

from finding_nemo.core.errors import ImageError, MissingExtraError
from finding_nemo.core.files.atomic_files import atomic_write
from finding_nemo.core.prefetch import prefetch_map
from finding_nemo.core.processes.cores import usable_cores
from finding_nemo.core.reporter import Reporter
from finding_nemo.data.images.decode import open_upright
from finding_nemo.data.images.video import VideoFrames, frame_times
from finding_nemo.reporting.dive.dive_frames import Frame

_WIDTH_PX = 192
_SIDE = 8
PER_SHEET = _SIDE * _SIDE
_JPEG_QUALITY = 74
_GROUND = (6, 19, 29)
# Below every frame's length, so that each frame of a video is listed with its time.
_EVERY_FRAME_S = 1e-4
_SAME_TIME_S = 1e-3


@dataclass(frozen=True, slots=True)
class SheetForm:
    """How the sheets are laid out: `n_columns` x `n_columns` pictures of one size each."""

    width_px: int = _WIDTH_PX
    height_px: int = 108
    n_columns: int = _SIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class Thumbnails:
    """The small pictures of all frames.

    Attributes:
        form: Of the sheets.
        is_shown: Whether each frame has a picture.
        failures: From reason to frames whose file is there and gave no picture.
    """

    form: SheetForm
    is_shown: tuple[bool, ...]
    failures: dict[str, int]


def sheet_name(number: int) -> str:
    """Return the file of a sheet, counted from 0."""
    return f"sheet-{number:04d}.jpg"


def form_for(frames: Sequence[Frame]) -> SheetForm:
    """Return a form whose pictures are as high as the commonest frame at their width."""
    sizes = Counter((frame.width, frame.height) for frame in frames if frame.width and frame.height)
    if not sizes:
        return SheetForm()
    (width, height), _ = sizes.most_common(1)[0]
    wanted = round(_WIDTH_PX * (height or 9) / (width or 16))
    return SheetForm(height_px=min(max(wanted, 72), _WIDTH_PX))


def draw_sheets(
    frames: Sequence[Frame],
    files: Sequence[Path | None],
    folder: Path,
    *,
    reporter: Reporter,
    threads: int | None = None,
) -> Thumbnails:
    """Write the sheets into `folder`; one that would show nothing is left out.

    Args:
        frames: In the order of the page.
        files: The image or video of each, `None` where there is none.
        folder: It exists.
        reporter: Told of the progress.
        threads: Default: one a core.
    """
    form = form_for(frames)
    wanted = [
        file if file is not None and not frame.failure else None
        for frame, file in zip(frames, files, strict=True)
    ]
    starts = [
        start
        for start in range(0, len(frames), PER_SHEET)
        if any(file is not None for file in wanted[start : start + PER_SHEET])
    ]
    is_shown = [False] * len(frames)
    failures: Counter[str] = Counter()
    draw = partial(_draw_sheet, frames, wanted, folder, form)
    done, total = 0, sum(file is not None for file in wanted)
    with reporter.progress("drawing small pictures", unit="frames") as progress:
        drawn = prefetch_map(draw, starts, threads=threads or usable_cores())
        for start, reasons in zip(starts, drawn, strict=True):
            for place, reason in enumerate(reasons, start=start):
                is_shown[place] = wanted[place] is not None and reason is None
                failures.update([reason] if reason is not None else ())
                done += wanted[place] is not None
            progress(done, total, failures.total())
    return Thumbnails(form=form, is_shown=tuple(is_shown), failures=dict(failures.most_common()))


def _draw_sheet(
    frames: Sequence[Frame],
    files: Sequence[Path | None],
    folder: Path,
    form: SheetForm,
    start: int,
) -> list[str | None]:
    """Write one sheet; return for each of its frames why it is not shown, if it should be."""
    places = range(start, min(start + PER_SHEET, len(frames)))
    n_rows = -(-len(places) // form.n_columns)
    sheet = Image.new("RGB", (form.n_columns * form.width_px, n_rows * form.height_px), _GROUND)
    reasons: list[str | None] = []
    with ExitStack() as opened:
        videos = Videos(opened)
        for number, place in enumerate(places):
            file, reason = files[place], None
            if file is not None:
                try:
                    small = small_picture(
                        frames[place], file, videos, (form.width_px, form.height_px)
                    )
                except (ImageError, MissingExtraError) as error:
                    reason = str(error)
                else:
                    row, column = divmod(number, form.n_columns)
                    left = column * form.width_px + (form.width_px - small.width) // 2
                    top = row * form.height_px + (form.height_px - small.height) // 2
                    sheet.paste(small, (left, top))
            reasons.append(reason)
    save_jpeg(sheet, folder / sheet_name(start // PER_SHEET))
    return reasons


def save_jpeg(image: Image.Image, path: Path) -> None:
    """Write a picture whole or not at all."""
    with atomic_write(path) as partial_path:
        image.save(partial_path, "JPEG", quality=_JPEG_QUALITY, optimize=True)


class Videos:
    """The videos that frames are of, each opened once and closed with the rest."""

    def __init__(self, opened: ExitStack) -> None:
        """Close what is opened with `opened`."""
        self._opened = opened
        self._videos: dict[Path, tuple[VideoFrames, list[tuple[float, int]]]] = {}

    def frame(self, path: Path, time_s: float) -> Image.Image:
        """Return the frame at a time.

        Raises:
            ImageError: If there is none, or it cannot be decoded.
            MissingExtraError: If PyAV is not installed.
        """
        if path not in self._videos:
            times = [(one.time_s, one.position) for one in frame_times(str(path), _EVERY_FRAME_S)]
            video = self._opened.enter_context(VideoFrames(str(path)))
            self._videos[path] = (video, times)
        video, times = self._videos[path]
        nearest_s, position = min(times, key=lambda one: abs(one[0] - time_s))
        if abs(nearest_s - time_s) > _SAME_TIME_S:
            raise ImageError("the video has no frame at this time")
        return Image.fromarray(video.frame(position).pixels)


def small_picture(frame: Frame, file: Path, videos: Videos, size: tuple[int, int]) -> Image.Image:
    """Return a frame's picture that fits into `size`, its aspect ratio kept.

    Raises:
        ImageError: If it cannot be decoded within the usual limits.
        MissingExtraError: If it is of a video and PyAV is not installed.
    """
    if frame.time_s is not None:
        return _fitted(videos.frame(file, frame.time_s), size)
    with open_upright(file, at_least=size) as opened:
        return _fitted(opened.image, size)


def _fitted(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    scale = min(size[0] / image.width, size[1] / image.height)
    fitted = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(fitted, Image.Resampling.BILINEAR, reducing_gap=2.0)
