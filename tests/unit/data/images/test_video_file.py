"""Videos of every container, whole, odd, damaged and hostile: which frames come of them."""

from __future__ import annotations

import os
import random
import socket
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

from finding_nemo.core.errors import ImageError
from finding_nemo.core.files.input_limits import InputLimits
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.data.images.video import VideoFrames, frame_times
from finding_nemo.prediction.sources.image_loader import load_images
from finding_nemo.prediction.sources.image_sources import ImageSelection

_RATE = 25
_N_FRAMES = 40
_OPEN_GROUPS = {"x264-params": "open-gop=1:keyint=12:min-keyint=12:bframes=3:scenecut=0"}
_REFRESHED = {"x264-params": "intra-refresh=1:keyint=12:bframes=0"}
# Container, codec, options, frames between key frames.
Form = tuple[str, str, dict[str, str], int]
_FORMS: dict[str, Form] = {
    "open.mp4": ("mp4", "libx264", _OPEN_GROUPS, 12),
    "refreshed.mp4": ("mp4", "libx264", _REFRESHED, 12),
    "pieces.mp4": ("mp4", "libx264", {"movflags": "frag_keyframe+empty_moov"}, 12),
    "motion.mov": ("mov", "mjpeg", {}, 1),
    "closed.mkv": ("matroska", "libx264", {}, 12),
    "web.webm": ("webm", "libvpx", {"deadline": "realtime"}, 12),
    "old.avi": ("avi", "mpeg4", {}, 12),
    "newer.avi": ("avi", "libx264", {}, 12),
    "open.ts": ("mpegts", "libx264", _OPEN_GROUPS, 12),
    "one_group.ts": ("mpegts", "libx264", {}, 1000),
    "camcorder.mts": ("mpegts", "libx264", {}, 12),
    "dvd.mpg": ("vob", "mpeg2video", {}, 12),
    "cd.mpeg": ("mpeg", "mpeg1video", {}, 12),
    "bare.mpg": ("mpeg2video", "mpeg2video", {}, 12),
    "screen.wmv": ("asf", "wmv2", {}, 12),
}
_FUZZED = ("open.mp4", "closed.mkv", "old.avi", "open.ts", "dvd.mpg", "screen.wmv")


def grey_of(number: int) -> int:
    return 30 + 5 * number


def draw(
    path: Path,
    *,
    form: Form = _FORMS["closed.mkv"],
    times: Sequence[int] = range(_N_FRAMES),
    unit: Fraction = Fraction(1, _RATE),
    size: tuple[int, int] = (64, 48),
    pixel_format: str | None = None,
) -> Path:
    """Draw a film whose frame k is grey 30 + 5 k, with a pattern that moves by k."""
    container_format, codec, options, group = form
    pattern = np.random.default_rng(0).integers(-9, 10, (size[1], size[0], 3))
    with av.open(str(path), "w", format=container_format, options=options) as container:
        stream: Any = container.add_stream(codec, rate=_RATE, options=options)
        stream.width, stream.height = size
        stream.pix_fmt = pixel_format or ("yuvj420p" if codec == "mjpeg" else "yuv420p")
        stream.bit_rate, stream.gop_size = 2_000_000, group
        stream.time_base = stream.codec_context.time_base = unit
        if codec in {"mpeg4", "mpeg2video", "mpeg1video"}:
            stream.max_b_frames = 2
        for number, position in enumerate(times):
            grey = grey_of(number % _N_FRAMES) + np.roll(pattern, number, axis=1)
            pixels = grey.clip(0, 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = position, unit
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("films")
    return {name: draw(folder / name, form=form) for name, form in _FORMS.items()}


def greys(path: Path, every_s: float = 1e-3) -> list[int | str]:
    """Return each frame's mean, or why it has none."""
    found: list[int | str] = []
    with VideoFrames(str(path)) as frames:
        for frame in frame_times(str(path), every_s):
            try:
                found.append(round(float(frames.frame(frame.position).pixels.mean())))
            except ImageError as error:
                found.append(str(error))
    return found


def near(found: list[int | str], numbers: Sequence[int]) -> bool:
    return len(found) == len(numbers) and all(
        isinstance(one, int) and abs(one - grey_of(number)) <= 3
        for one, number in zip(found, numbers, strict=True)
    )


@pytest.mark.parametrize("name", _FORMS)
def test_frames__of_each_container_are_all_there_and_alike_from_anywhere(
    films: dict[str, Path], name: str
) -> None:
    path = str(films[name])
    times = frame_times(path, 1e-3)
    assert [time.time_s for time in times] == pytest.approx(
        [number / _RATE for number in range(_N_FRAMES)], abs=1e-3
    )
    with VideoFrames(path) as frames:
        in_order = [frames.frame(time.position).pixels for time in times]
    means = [round(float(pixels.mean())) for pixels in in_order]
    assert near(list(means), range(_N_FRAMES)), means
    for number in range(0, _N_FRAMES, 3):
        with VideoFrames(path) as frames:
            alone = frames.frame(times[number].position).pixels
        np.testing.assert_array_equal(alone, in_order[number])
    with VideoFrames(path) as frames:
        for number in (39, 13, 14, 12, 0, 38, 11):
            pixels = frames.frame(times[number].position).pixels
            np.testing.assert_array_equal(pixels, in_order[number])


def test_stream_cut_at_its_beginning__starts_at_the_first_key_frame(
    films: dict[str, Path], tmp_path: Path
) -> None:
    cut = tmp_path / "cut.ts"
    whole = films["open.ts"].read_bytes()
    cut.write_bytes(whole[188 * (len(whole) // 188 // 3) :])
    found = greys(cut)
    assert 10 < len(found) < 35
    assert near(found, range(_N_FRAMES - len(found), _N_FRAMES)), found


def test_times__may_jump_begin_below_zero_and_be_very_late(tmp_path: Path) -> None:
    millisecond = Fraction(1, 1000)
    steps = [0, 40, 50, 1000, 1010, 500_000, 10**11, 10**11 + 40]
    film = draw(tmp_path / "steps.mkv", times=steps, unit=millisecond)
    assert [time.time_s for time in frame_times(str(film), 1e-3)] == [t / 1000 for t in steps]
    assert near(greys(film), range(8))
    seconds = [0, 1.0, 500.0, 10**8]
    assert [time.time_s for time in frame_times(str(film), 1.0)] == seconds
    below = draw(tmp_path / "below.ts", form=_FORMS["open.ts"], times=range(-5, 5))
    assert [time.time_s for time in frame_times(str(below), 1e-3)] == pytest.approx(
        [number / _RATE for number in range(10)]
    )
    # An MP4 hides what comes before zero behind an edit list.
    hidden = draw(tmp_path / "hidden.mp4", form=_FORMS["open.mp4"], times=range(-5, 5))
    assert near(greys(hidden), range(5, 10))


def test_pixels__of_ten_bits_or_one_channel_are_read(tmp_path: Path) -> None:
    prores: Form = ("mov", "prores_ks", {}, 1)
    deep = draw(tmp_path / "deep.mov", form=prores, pixel_format="yuv422p10le")
    assert near(greys(deep), range(_N_FRAMES))
    ffv1: Form = ("matroska", "ffv1", {}, 1)
    grey = draw(tmp_path / "grey.mkv", form=ffv1, pixel_format="gray16le")
    assert near(greys(grey), range(_N_FRAMES))


def test_frame_size__may_change_within_a_stream(tmp_path: Path) -> None:
    first = draw(tmp_path / "a.ts", form=_FORMS["open.ts"], times=range(12))
    second = draw(tmp_path / "b.ts", form=_FORMS["open.ts"], times=range(50, 62), size=(96, 80))
    both = tmp_path / "both.ts"
    both.write_bytes(first.read_bytes() + second.read_bytes())
    times = frame_times(str(both), 1e-3)
    with VideoFrames(str(both)) as frames:
        sizes = [(one.width, one.height) for one in (frames.frame(t.position) for t in times)]
    assert sizes == [(64, 48)] * 12 + [(96, 80)] * 12


def test_rotated_film__stands_upright(tmp_path: Path) -> None:
    film = draw(tmp_path / "turned.mov", form=_FORMS["motion.mov"])
    content = film.read_bytes()
    upright = np.array([1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30], dtype=">i4").tobytes()
    turned = np.array([0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30], dtype=">i4").tobytes()
    place = content.index(upright, content.index(b"tkhd"))
    film.write_bytes(content[:place] + turned + content[place + len(turned) :])
    with VideoFrames(str(film)) as frames:
        frame = frames.frame(0)
    assert (frame.width, frame.height) == (48, 64)


@pytest.mark.parametrize("name", ["closed.mkv", "old.avi", "web.webm"])
def test_film_that_breaks_off__has_a_last_row_that_says_so(
    films: dict[str, Path], tmp_path: Path, name: str
) -> None:
    whole = films[name].read_bytes()
    cut = tmp_path / name
    cut.write_bytes(whole[: len(whole) * 6 // 10])
    *found, last = greys(cut)
    assert near(found, range(len(found)))
    assert 10 < len(found) < 35
    assert last in {
        "the frame at this time cannot be decoded",
        "the frame at this time is damaged",
    }
    assert greys(cut, every_s=60) == [found[0], last]


def test_damage__fails_frames_up_to_the_next_key_frame(
    films: dict[str, Path], tmp_path: Path
) -> None:
    whole = bytearray(films["open.ts"].read_bytes())
    # Frames 12 to 23 are the second group; a third of the file in is its middle.
    place = 188 * (len(whole) // 188 * 4 // 10)
    whole[place : place + 188 * 4] = b"\xff" * (188 * 4)
    damaged = tmp_path / "damaged.ts"
    damaged.write_bytes(bytes(whole))
    times = frame_times(str(damaged), 1e-3)
    found = dict(zip((round(time.time_s * _RATE) for time in times), greys(damaged), strict=True))
    failed = {number for number, one in found.items() if isinstance(one, str)}
    read = [number for number in found if number not in failed]
    assert near([found[number] for number in read], read)
    assert failed
    assert failed <= set(range(min(failed), min(failed) + 15))


def test_file_that_is_no_video__says_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "folder.mp4").mkdir()
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "text.mp4").write_text("some words\n" * 50, encoding="utf-8")
    reasons = {}
    for name in ("empty", "folder", "pipe", "text", "gone"):
        with pytest.raises(ImageError) as caught:
            frame_times(str(tmp_path / f"{name}.mp4"), 1.0)
        reasons[name] = str(caught.value)
    assert reasons == {
        "empty": "is empty",
        "folder": "is a folder, not a video",
        "pipe": "is no regular file (a pipe, socket or device)",
        "text": "is no video that can be read (InvalidDataError)",
        "gone": "file not found",
    }


def test_decoder__tells_nothing_through_python(films: dict[str, Path]) -> None:
    av.logging.set_level(av.logging.ERROR)
    greys(films["closed.mkv"])
    assert av.logging.get_level() is None


def test_limits__hold_for_pixels_and_seconds(films: dict[str, Path]) -> None:
    small = InputLimits(max_pixels=64 * 48 - 1)
    for name in ("closed.mkv", "open.ts", "dvd.mpg"):
        with pytest.raises(ImageError, match=r"frames of 64 x 48 pixels, more than the 0\.003071"):
            VideoFrames(str(films[name]), limits=small)
    with pytest.raises(ImageError, match="gave no frame within 1e-09 s"):
        frame_times(str(films["open.ts"]), 1.0, limits=InputLimits(max_seconds=1e-9))


def test_limit__does_not_count_the_time_between_frames(
    films: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    clock = SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr("finding_nemo.data.images.video_file.time", clock)
    for name in ("closed.mkv", "open.ts"):
        times = frame_times(str(films[name]), 0.4)
        with VideoFrames(str(films[name])) as frames:
            for frame in (times[0], times[3], times[1]):
                frames.frame(frame.position)
                now[0] += 100.0


@pytest.mark.parametrize(
    ("name", "box", "count_at"), [("motion.mov", b"stsz", 12), ("pieces.mp4", b"trun", 8)]
)
def test_small_file_that_claims_a_hundred_million_frames__is_refused_at_once(
    films: dict[str, Path], tmp_path: Path, name: str, box: bytes, count_at: int
) -> None:
    content = bytearray(films[name].read_bytes())
    place = content.index(box) + count_at
    content[place : place + 4] = (80_000_000).to_bytes(4, "big")
    film = tmp_path / name
    film.write_bytes(content)
    began = time.monotonic()
    with pytest.raises(ImageError, match="^claims 80000000 frames in "):
        frame_times(str(film), 1.0)
    assert time.monotonic() - began < 5


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(99)
        listening.setblocking(False)
        yield listening


def hostile_files(folder: Path, port: int, other: Path) -> list[str]:
    """Write playlists and scripts that name a server or a file, under names of videos."""
    url = f"http://127.0.0.1:{port}/x.mp4"
    texts = []
    for target in (url, str(other)):
        texts += [
            f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{target}\n#EXT-X-ENDLIST\n",
            "\n" * 99 + f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{target}\n",
            f"ffconcat version 1.0\nfile '{target}'\n",
            f"file '{target}'\n",
            f"[reference]\nRef1={target}\n",
            '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">'
            '<Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1">'
            f"<BaseURL>{target}</BaseURL></Representation></AdaptationSet></Period></MPD>",
        ]
    texts.append(
        f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
        f"m=video {port} RTP/AVP 96\na=rtpmap:96 H264/90000\n"
    )
    paths = []
    for number, text in enumerate(texts):
        for suffix in ("mkv", "ts", "mp4"):
            path = folder / f"{number}.{suffix}"
            path.write_text(text, encoding="utf-8")
            paths.append(str(path))
    return paths


def test_names_and_playlists__reach_no_server_and_no_other_file(
    films: dict[str, Path], tmp_path: Path, server: socket.socket
) -> None:
    port, other = server.getsockname()[1], films["open.mp4"]
    names = [
        f"http:127.0.0.1:{port}/x.mp4",
        f"tcp:127.0.0.1:{port}/x.mp4",
        f"tcp://127.0.0.1:{port}/x.mp4",
        f"async:http:127.0.0.1:{port}/x.mp4",
        f"concat:{other}",
        f"subfile,,start,0,end,0,,:{other}",
        f"file:{other}",
        *hostile_files(tmp_path, port, other),
    ]
    listed = tmp_path / "list.txt"
    listed.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
    inputs = list(ImageSelection((str(listed),)).stream())
    found = list(load_images(inputs, Preprocessing(width_px=8, height_px=8)))
    reasons = [one.failure for _, one in found]
    assert len(reasons) == len(names)
    assert set(reasons) == {
        "file not found",
        "tcp:// cannot be read: Protocol not known: tcp.",
        "is a playlist or script that names other files, which are not followed",
        "is no video that can be read (InvalidDataError)",
        "is no video that can be read (ArgumentError)",
    }
    with pytest.raises(BlockingIOError):
        server.accept()


def test_film_whose_frames_lie_in_another_file__does_not_read_that(
    films: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "other.mov").write_bytes(films["motion.mov"].read_bytes())
    film = tmp_path / "refers.mov"
    film.write_bytes(with_alias(films["motion.mov"].read_bytes(), tmp_path / "other.mov"))
    with av.open(str(film), options={"enable_drefs": "1"}) as container:
        assert len(list(container.decode(video=0))) == _N_FRAMES  # what a careless reader does
    with pytest.raises(ImageError, match="holds no frame"):
        greys(film)


def with_alias(film: bytes, target: Path) -> bytes:
    """Return a MOV whose frames are looked for in `target`; its index must come last."""
    name = target.name.encode()
    path = str(target).encode()
    record = bytes(10) + b"\x05Disk0".ljust(28, b"\0") + bytes(12)
    record += bytes([len(name)]) + name.ljust(63, b"\0") + bytes(16) + b"\0\1\0\1" + bytes(16)
    for kind, text in ((2, path), (0, target.parent.name.encode())):
        record += kind.to_bytes(2, "big") + len(text).to_bytes(2, "big")
        record += text + bytes(len(text) % 2)
    record += b"\xff\xff\0\0"
    entry = (12 + len(record)).to_bytes(4, "big") + b"alis" + bytes(4) + record
    place = film.index(b"dref") + 12
    old_size = int.from_bytes(film[place : place + 4], "big")
    grown = bytearray(film)
    grown[place : place + old_size] = entry
    for box in (b"dref", b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        start = film.rindex(box, 0, place) - 4
        size = int.from_bytes(film[start : start + 4], "big") + len(entry) - old_size
        grown[start : start + 4] = size.to_bytes(4, "big")
    return bytes(grown)


def mutated(content: bytes, seed: int) -> bytes:
    """Return `content` with one fault: bits, a number, a hole, a cut or a piece twice."""
    chance = random.Random(seed)  # noqa: S311 - a fault need not be secret
    found = bytearray(content)
    place = chance.randrange(len(found))
    length = chance.choice((1, 16, 188, 2048))
    match seed % 6:
        case 0:
            for _ in range(chance.choice((1, 30, 300))):
                found[chance.randrange(len(found))] ^= 1 << chance.randrange(8)
        case 1:
            del found[place:]
        case 2:
            del found[place : place + length]
        case 3:
            found[place : place + length] = bytes(min(length, len(found) - place))
        case 4:
            found[place:place] = found[place : place + length]
        case _:
            for _ in range(4):
                start = chance.randrange(min(1000, len(found)))
                number = chance.choice((0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF))
                found[start : start + 4] = number.to_bytes(4, chance.choice(("big", "little")))
    return bytes(found)


@pytest.mark.parametrize("name", _FUZZED)
def test_damaged_film__gives_frames_or_reasons_and_ends(
    films: dict[str, Path], tmp_path: Path, name: str
) -> None:
    content = films[name].read_bytes()
    path = tmp_path / name
    began = time.monotonic()
    for seed in range(int(os.environ.get("FINDING_NEMO_FUZZ", "20"))):
        path.write_bytes(mutated(content, seed))
        outcome: Any
        try:
            outcome = greys(path)
        except ImageError as error:
            outcome = [str(error)]
        assert outcome, seed
        assert all(one for one in outcome if isinstance(one, str)), seed
    assert time.monotonic() - began < 60
