"""Small pictures on sheets: each in its place, and what is missing said."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from finding_nemo.core.reporter import Reporter
from finding_nemo.reporting.dive.read_dive_frames import read_dive_frames
from finding_nemo.reporting.dive.thumbnail_sheets import draw_sheets, form_for


def draw(path: Path, value: int, size: tuple[int, int] = (64, 48)) -> Path:
    Image.new("RGB", size, (value, value, value)).save(path)
    return path


def frames_of(dive_files: Any, folder: Path, n: int, **values: Any) -> Any:
    rows = [dive_files.row(number, **values) for number in range(n)]
    return read_dive_frames(dive_files.write(folder / "d.parquet", rows)).frames


def test_every_picture__is_in_its_place(dive_files: Any, tmp_path: Path) -> None:
    frames = frames_of(dive_files, tmp_path, 70)
    files: list[Path | None] = [draw(tmp_path / f"{n}.png", 3 * n) for n in range(70)]
    files[5] = None
    (tmp_path / "6.png").write_bytes(b"no image")
    made = draw_sheets(frames, files, tmp_path, reporter=Reporter(), threads=2)
    assert (made.form.width_px, made.form.height_px) == (192, 144)
    assert [n for n, shown in enumerate(made.is_shown) if not shown] == [5, 6]
    assert len(made.failures) == 1
    for number, height in ((0, 8 * 144), (1, 144)):
        with Image.open(tmp_path / f"sheet-{number:04d}.jpg") as sheet:
            assert sheet.size == (8 * 192, height)
            pixels = np.asarray(sheet).astype(int)
        for place in range(64 * number, min(70, 64 * number + 64)):
            if place in (5, 6):
                continue
            row, column = divmod(place % 64, 8)
            middle = pixels[row * 144 + 72, column * 192 + 96]
            assert abs(middle - 3 * place).max() <= 4, place


def test_sheets_that_would_show_nothing__are_left_out(dive_files: Any, tmp_path: Path) -> None:
    frames = frames_of(dive_files, tmp_path, 130)
    files = [draw(tmp_path / "a.png", 9) if n == 70 else None for n in range(130)]
    draw_sheets(frames, files, tmp_path, reporter=Reporter())
    assert [path.name for path in sorted(tmp_path.glob("sheet-*"))] == ["sheet-0001.jpg"]


def test_frames_of_a_video__are_those_at_their_time(dive_files: Any, tmp_path: Path) -> None:
    path = tmp_path / "dive.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.time_base = Fraction(1, 10)
        for number in range(20):
            pixels = np.full((48, 64, 3), 20 + 10 * number, dtype=np.uint8)
            shown = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            shown.pts = number
            container.mux(stream.encode(shown))
        container.mux(stream.encode())
    rows = [dive_files.row(n, path="dive.mp4", time_s=t) for n, t in enumerate((0.5, 1.2, 9.0))]
    frames = read_dive_frames(dive_files.write(tmp_path / "d.parquet", rows)).frames
    made = draw_sheets(frames, [path] * 3, tmp_path, reporter=Reporter())
    assert made.is_shown == (True, True, False)
    assert made.failures == {"the video has no frame at this time": 1}
    with Image.open(tmp_path / "sheet-0000.jpg") as sheet:
        pixels = np.asarray(sheet).astype(int)
    assert abs(pixels[72, 96] - 70).max() <= 6
    assert abs(pixels[72, 288] - 140).max() <= 6


def test_form__fits_the_commonest_frame(dive_files: Any, tmp_path: Path) -> None:
    wide = frames_of(dive_files, tmp_path, 2, width=1920, height=1080)
    assert form_for(wide).height_px == 108
    assert form_for(frames_of(dive_files, tmp_path, 1, width=10, height=99)).height_px == 192
    assert form_for(frames_of(dive_files, tmp_path, 1, failure="is empty")).height_px == 108
