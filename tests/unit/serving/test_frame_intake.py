"""Files to keep: looked at, saved under own names, predicted and added in order."""

from __future__ import annotations

import asyncio
import errno
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from finding_nemo.core.errors import MissingExtraError, RequestError
from finding_nemo.core.records import Prediction
from finding_nemo.prediction.predictor import Predictor
from finding_nemo.prediction.sources.image_sources import ImageSelection
from finding_nemo.serving import frame_intake
from finding_nemo.serving.batching import BatchingPredictor
from finding_nemo.serving.frame_intake import DiskSink, FrameIntake, SavedUpload
from finding_nemo.serving.middleware.request_limits import RequestLimits
from finding_nemo.serving.middleware.server_metrics import ServerMetrics
from finding_nemo.serving.session_folder import SessionFolder

LIMITS = RequestLimits(max_file_bytes=5000, max_video_frames=4)


def png(number: int = 0) -> bytes:
    """Return the bytes of a picture of one grey."""
    stream = io.BytesIO()
    Image.new("RGB", (40, 30), (number, number, number)).save(stream, "PNG")
    return stream.getvalue()


def saved(path: Path, *pieces: bytes, name: str = "a.png") -> SavedUpload:
    """Return what a sink makes of a file that comes in pieces."""
    sink = DiskSink(name, path / "000001.part", LIMITS)
    for piece in pieces:
        sink.write(piece)
    found = sink.close()
    assert isinstance(found, SavedUpload)
    return found


@pytest.mark.parametrize("name", ["a.exe", "", "x.mp4", "../../a"])
def test_image__is_known_by_its_content(tmp_path: Path, name: str) -> None:
    found = saved(tmp_path, png()[:7], png()[7:], name=name)
    assert (found.name, found.path, found.is_video) == (name, tmp_path / "000001.png", False)
    assert (tmp_path / "000001.png").read_bytes() == png()


@pytest.mark.parametrize(
    ("pieces", "name", "failure"),
    [
        ([b"\x01" * 3000] * 9, "a.png", "is not an image that can be read"),
        ([b""], "a.png", "is empty (0 bytes)"),
        ([], "a.mp4", "is empty (0 bytes)"),
        ([png(), b"\x00" * 5000], "a.png", "is larger than 0.005 MB"),
        ([b"%PDF-1.7"], "a.png", "is PDF, not one of the formats"),
    ],
)
def test_file__that_is_nothing_leaves_nothing(
    tmp_path: Path, pieces: list[bytes], name: str, failure: str
) -> None:
    found = saved(tmp_path, *pieces, name=name)
    assert str(found.failure).startswith(failure)
    assert found.path is None
    assert list(tmp_path.iterdir()) == []


def test_video__is_taken_at_its_word_and_may_be_larger(tmp_path: Path) -> None:
    found = saved(tmp_path, b"\x47" + b"\x01" * 9000, name="dive.TS")
    assert (found.is_video, found.path) == (True, tmp_path / "000001.ts")


def test_sink__that_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    sink = DiskSink("a.png", tmp_path / "000001.part", LIMITS)
    sink.write(png())
    sink.abort()
    sink.write(png())
    sink.abort()
    assert list(tmp_path.iterdir()) == []
    done = DiskSink("a.png", tmp_path / "000002.part", LIMITS)
    done.write(png())
    done.close()
    done.abort()
    assert list(tmp_path.iterdir()) == []


def test_disk__that_is_full_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, data: Any) -> int:
            raise OSError(errno.ENOSPC, "no space", "/secret")

    sink = DiskSink("a.png", tmp_path / "000001.part", LIMITS)
    with monkeypatch.context() as patched:
        patched.setattr(sink, "_stream", Full())
        with pytest.raises(RequestError, match="disk is full") as refusal:
            sink.write(png())
    sink.abort()
    assert refusal.value.status == 507


class Kept:
    """Frames that were added, as they came."""

    def __init__(self) -> None:
        self.frames: list[tuple[str, Path, Prediction]] = []

    def add_frames(self, frames: Sequence[tuple[str, Path, Prediction]]) -> Sequence[Any]:
        self.frames += frames
        return [prediction.image_id for _, _, prediction in frames]


@pytest.fixture(scope="module")
def batching(bundle_with_maps: Path) -> Iterator[BatchingPredictor]:
    predictor = Predictor(bundle_with_maps, with_embedding=True, threads=1)
    with BatchingPredictor(predictor, ServerMetrics(), tell_fault=print) as found:
        yield found


def intake_of(batching: BatchingPredictor, folder: Path, kept: Kept) -> FrameIntake:
    """Return an intake into a folder."""
    return FrameIntake(batching, SessionFolder(folder), kept, LIMITS, every_s=0.5)


def upload(intake: FrameIntake, name: str, content: bytes) -> SavedUpload:
    """Return a file that came."""
    sink = intake.make_sink(name)
    sink.write(content)
    found = sink.close()
    assert isinstance(found, SavedUpload)
    return found


def test_frames__are_added_in_order_and_again(batching: BatchingPredictor, tmp_path: Path) -> None:
    kept, again = Kept(), Kept()
    intake = intake_of(batching, tmp_path, kept)
    files = [
        ("Doc Ricketts/images/0297/a.png", png(1)),
        ("b.png", b"junk"),
        ("a.png", png(2)),
        ("broken.png", png(3)[:60]),
    ]
    rows = asyncio.run(intake.add([upload(intake, *file) for file in files]))
    assert rows == ["a", "b", "a.png", "broken"]
    assert [name for name, _, _ in kept.frames] == [name for name, _ in files]
    predictions = [prediction for _, _, prediction in kept.frames]
    assert [each.path for each in predictions] == [name for name, _ in files]
    assert [each.failure is None for each in predictions] == [True, False, True, False]
    assert str(tmp_path) not in str(predictions)
    offline = list(batching.predictor.predict([png(1), png(2)]))
    for found, wanted in zip((predictions[0], predictions[2]), offline, strict=True):
        np.testing.assert_array_equal(found.probabilities, wanted.probabilities)
    told: list[tuple[int, int]] = []
    later = intake_of(batching, tmp_path, again)
    asyncio.run(later.add_again(lambda done, total: told.append((done, total))))
    assert told == [(4, 4)]
    for (name, path, one), (same_name, same_path, other) in zip(
        kept.frames, again.frames, strict=True
    ):
        assert (name, path.name, one.image_id) == (same_name, same_path.name, other.image_id)
        assert one.failure == other.failure
        np.testing.assert_array_equal(one.probabilities, other.probabilities)


def video(path: Path, n_frames: int) -> bytes:
    """Return a video of frames that grow brighter, 2 a second."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=2)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(n_frames):
            pixels = np.full((48, 64, 3), 20 + 40 * number, dtype=np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path.read_bytes()


def test_video__is_its_frames_as_offline(batching: BatchingPredictor, tmp_path: Path) -> None:
    content = video(tmp_path / "dive.mp4", 4)
    kept, folder = Kept(), tmp_path / "session"
    folder.mkdir()
    intake = intake_of(batching, folder, kept)
    rows = asyncio.run(intake.add([upload(intake, "dive.mp4", content)]))
    inputs = list(ImageSelection((str(tmp_path / "dive.mp4"),), every_s=0.5).stream())
    wanted = list(batching.predictor.predict_inputs(inputs))
    assert rows == [each.image_id for each in wanted]
    for (_, path, found), each in zip(kept.frames, wanted, strict=True):
        assert found.time_s == each.time_s
        assert path.suffix == ".jpeg"
        assert path.is_file()
        np.testing.assert_array_equal(found.probabilities, each.probabilities)
    assert not list(folder.glob("*.mp4"))


def test_video__of_too_many_frames_or_none_is_one_failure(
    batching: BatchingPredictor, tmp_path: Path
) -> None:
    kept = Kept()
    intake = intake_of(batching, tmp_path, kept)
    long = upload(intake, "long.mp4", video(tmp_path / "x.mp4", 5))
    asyncio.run(intake.add([long, upload(intake, "junk.avi", b"\x01" * 99)]))
    failures = [str(prediction.failure) for _, _, prediction in kept.frames]
    assert failures[0].startswith("holds 5 frames at one every 0.5 s, more than the 4")
    assert len(failures) == 2


def test_video__without_its_library_says_which_extra(
    batching: BatchingPredictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(*words: object, **named: object) -> None:
        raise MissingExtraError("pip install '/secret/finding-nemo[video]'")

    monkeypatch.setattr(frame_intake, "frame_times", lacking)
    kept = Kept()
    intake = intake_of(batching, tmp_path, kept)
    asyncio.run(intake.add([upload(intake, "a.mp4", b"\x01" * 99)]))
    assert kept.frames[0][2].failure == frame_intake.NO_VIDEO


def test_video__of_a_request_that_is_given_up_ends_soon(
    batching: BatchingPredictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame_intake, "_FRAMES_AT_ONCE", 1)
    intake = intake_of(batching, tmp_path, Kept())
    taken = upload(intake, "a.mp4", video(tmp_path / "x.mp4", 4))
    predicted: list[int] = []
    real = intake._waited_for

    async def give_up() -> None:
        asking = asyncio.create_task(intake.add([taken]))

        def slow(inputs: Sequence[Any]) -> list[Prediction]:
            predicted.append(len(inputs))
            asyncio.run_coroutine_threadsafe(_cancel(asking), loop).result(20)
            return real(inputs)

        loop = asyncio.get_running_loop()
        monkeypatch.setattr(intake, "_waited_for", slow)
        with pytest.raises(asyncio.CancelledError):
            await asking

    async def _cancel(asking: asyncio.Task[Any]) -> None:
        asking.cancel()
        await asyncio.sleep(0.01)

    asyncio.run(give_up())
    assert predicted == [1]
