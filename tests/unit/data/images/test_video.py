"""Videos that the tests draw: which frames are taken, when, and what they show."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from finding_nemo import read_predictions
from finding_nemo.core.errors import ImageError
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.data.images.video import VideoFrames, frame_times
from finding_nemo.models.bundle.bundle import load_bundle
from finding_nemo.prediction.run.predict_to_file import predict_to_file
from finding_nemo.prediction.sources.image_loader import load_images
from finding_nemo.prediction.sources.image_sources import ImageSelection, collect_images

_RATE = 10
_N_FRAMES = 150


def grey_of(number: int) -> int:
    return 20 + number


def draw_video(path: Path, numbers: range = range(_N_FRAMES)) -> Path:
    """Draw a film whose frame k is grey 20 + k; B-frames make decoding order another."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=_RATE)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.bit_rate = 2_000_000
        stream.gop_size, stream.max_b_frames = 12, 2
        stream.time_base = Fraction(1, _RATE)
        for place, number in enumerate(numbers):
            pixels = np.full((48, 64, 3), grey_of(number), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts = place
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_video(tmp_path_factory.mktemp("video") / "dive.mp4")


def test_frame_times__are_every_interval_from_the_first_frame(video: Path) -> None:
    assert [frame.time_s for frame in frame_times(str(video), 1.0)] == list(range(15))
    every_third = [frame.time_s for frame in frame_times(str(video), 0.25)][:5]
    # Frames stand at tenths of a second: the first at or after each quarter.
    assert every_third == pytest.approx([0.0, 0.3, 0.5, 0.8, 1.0])
    assert len(frame_times(str(video), 0.01)) == _N_FRAMES
    assert len(frame_times(str(video), 60)) == 1


@pytest.mark.parametrize("order", ["forwards", "backwards", "jumping"])
def test_frame__is_the_one_at_that_time_in_any_order(video: Path, order: str) -> None:
    times = frame_times(str(video), 0.5)
    if order == "backwards":
        times = times[::-1]
    if order == "jumping":
        times = [times[0], times[-1], times[3], times[24], times[4]]
    with VideoFrames(str(video)) as frames:
        for time in times:
            decoded = frames.frame(time.position)
            assert (decoded.width, decoded.height) == (64, 48)
            expected = grey_of(round(time.time_s * _RATE))
            assert abs(float(decoded.pixels.mean()) - expected) < 3


def test_videos_and_files__mix_and_keep_their_order(video: Path, tmp_path: Path) -> None:
    other = draw_video(tmp_path / "other.mp4", range(155, 175))
    (tmp_path / "broken.mp4").write_bytes(b"no video at all")
    (tmp_path / "cut.mp4").write_bytes(video.read_bytes()[:3000])
    names = [str(video), str(tmp_path / "gone.png"), str(other), str(tmp_path / "broken.mp4")]
    inputs = list(ImageSelection((*names, str(tmp_path / "cut.mp4")), every_s=1.0).stream())
    found = list(load_images(inputs, Preprocessing(width_px=8, height_px=8)))
    assert [image.image_id for image, _ in found] == [image.image_id for image in inputs]
    assert len({one.pixels.tobytes() for _, one in found if one.pixels is not None}) == 17
    failures = [(image.path, one.failure) for image, one in found if one.failure]
    assert failures[0] == (names[1], "file not found")
    assert failures[1][1] is not None
    assert failures[1][1].startswith("is no video that can be read")
    assert len(failures) == 3
    assert inputs[3].image_id == "dive@00:00:03.000"


def test_video__that_is_gone_is_a_row_with_a_failure(tmp_path: Path) -> None:
    (image,) = collect_images([str(tmp_path / "gone.mp4")])
    assert image.failure == "file not found"
    with pytest.raises(ImageError, match="no picture stream|no video"):
        frame_times(str(sound_only(tmp_path / "sound.wav.mp4")), 1.0)


def sound_only(path: Path) -> Path:
    with av.open(str(path), "w", format="wav") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(
            np.zeros((1, 800), dtype=np.int16), format="s16", layout="mono"
        )
        frame.rate = 8000
        container.mux(stream.encode(frame))
    return path


def test_predict__has_rows_with_times(small_bundle: Path, video: Path, tmp_path: Path) -> None:
    out = tmp_path / "p.parquet"
    selection = ImageSelection((str(video.parent),), every_s=0.5)
    summary = predict_to_file(load_bundle(small_bundle), selection, out)
    assert (summary.n_images, summary.n_failed) == (30, 0)
    table = read_predictions(out)
    assert table.times_s[:4] == (0.0, 0.5, 1.0, 1.5)
    assert set(table.paths) == {str(video)}
    assert table.vector is not None
    assert len(np.unique(table.vector, axis=0)) == 30


def test_folder__passes_over_videos_unless_told_how_often(video: Path) -> None:
    assert len(list(ImageSelection((str(video.parent),), every_s=5.0).stream())) == 3
    assert len(collect_images([str(video)])) == 15
