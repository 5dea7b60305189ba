"""Tars of every sort: what is damaged costs one row, and nothing is read for ever."""

from __future__ import annotations

import io
import os
import random
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from finding_nemo.core.errors import ImageError
from finding_nemo.data.filesystems.filesystem import read_range
from finding_nemo.data.filesystems.passed_over import PassedOver
from finding_nemo.data.filesystems.tar import TarMember, image_members, member_path, tar_of
from finding_nemo.prediction.sources.image_sources import collect_images

_FORMATS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)


def packed(
    names: Sequence[str], tar_format: int = tarfile.GNU_FORMAT, **links: tuple[bytes, str]
) -> bytes:
    """Return a tar whose members hold their own names, and links (kind, target) behind them."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tar_format) as tar:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(os.fsencode(name))
            tar.addfile(member, io.BytesIO(os.fsencode(name)))
        for name, (kind, target) in links.items():
            member = tarfile.TarInfo(f"{name}.jpg")
            member.type, member.linkname = kind, target
            tar.addfile(member)
    return file.getvalue()


def members(content: bytes, folder: Path, passed: PassedOver | None = None) -> list[TarMember]:
    path = folder / "x.tar"
    path.write_bytes(content)
    return list(image_members(str(path), passed))


def contents(content: bytes, folder: Path) -> list[tuple[str, bytes | str]]:
    """Return the name and the bytes of each member, or why there are none."""
    found: list[tuple[str, bytes | str]] = []
    for member in members(content, folder):
        try:
            if member.failure is not None:
                raise ImageError(member.failure)
            found.append(
                (member.name, read_range(str(folder / "x.tar"), member.start, member.size))
            )
        except ImageError as error:
            found.append((member.name, str(error)))
    return found


def with_checksum(header: bytes) -> bytes:
    total = sum(header[:148]) + 8 * 32 + sum(header[156:512])
    return header[:148] + f"{total:06o}\0 ".encode() + header[156:]


def changed(content: bytes, name: str, place: int, value: bytes) -> bytes:
    """Return a tar with `value` at `place` of the header of member `name`, its checksum right."""
    at = content.index(os.fsencode(name))
    header = content[at : at + 512]
    header = with_checksum(header[:place] + value + header[place + len(value) :])
    return content[:at] + header + content[at + 512 :]


@pytest.mark.parametrize("tar_format", _FORMATS)
def test_names__of_every_sort_give_their_own_bytes(tmp_path: Path, tar_format: int) -> None:
    names = ["a.jpg", "d/ü b.PNG", "a::b.jpg", "s3://c.png", "/etc/x.jpg", "../../up.tif"]
    names += ["n" * 90 + "/" + "m" * 95 + ".jpg", "caf\udce9.jpg", "a.jpg", "50%x41.jpg", "e:.jpg"]
    if tar_format != tarfile.USTAR_FORMAT:
        names.append("l" * 300 + ".jpg")
    packed_names = packed(names, tar_format)
    assert contents(packed_names, tmp_path) == [(name, os.fsencode(name)) for name in names]
    images = collect_images([str(tmp_path / "x.tar")])
    assert len({image.image_id for image in images}) == len(names)
    for image, name in zip(images, names, strict=True):
        assert image.path.encode().decode() == image.path
        assert tar_of(image.path) == str(tmp_path / "x.tar")
        assert Path(tmp_path / "x.tar") in image.record.path.parents
        assert ".." not in image.record.path.parts, name


def test_member_path__is_the_address_that_fsspec_opens() -> None:
    assert member_path("f/x.tar", "d/a.jpg") == "tar://d/a.jpg::f/x.tar"
    assert member_path("f/x.tar", "a::b:c:") == "tar://a%x3A%x3Ab:c%x3A::f/x.tar"
    assert tar_of(member_path("caf\udce9::1.tar", "a:")) == "caf\udce9::1.tar"


@pytest.mark.parametrize("tar_format", _FORMATS)
def test_damaged_header__costs_its_own_image_and_a_row_says_so(
    tmp_path: Path, tar_format: int
) -> None:
    names = [f"f{number}.jpg" for number in range(6)]
    content = bytearray(packed(names, tar_format))
    at = content.index(b"f3.jpg")
    content[at + 148] ^= 1
    expected: list[tuple[str, bytes | str]] = [(name, name.encode()) for name in names]
    expected[3] = ("", f"tar header at byte {at} is damaged; 1024 bytes passed over")
    assert contents(bytes(content), tmp_path) == expected


def test_first_header_damaged__the_rest_is_read(tmp_path: Path) -> None:
    content = bytearray(packed(["a.jpg", "b.jpg"]))
    content[:512] = b"\xff" * 512
    found = contents(bytes(content), tmp_path)
    assert found == [
        ("", "tar header at byte 0 is damaged; 1024 bytes passed over"),
        ("b.jpg", b"b.jpg"),
    ]


def test_joined__tars_are_read_on_even_behind_one_that_was_cut(tmp_path: Path) -> None:
    first, second = packed(["a.jpg", "b.jpg"]), packed(["c.jpg", "d.jpg"])
    joined = contents(first + second, tmp_path)
    assert [name for name, _ in joined] == ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
    cut = contents(first[:1030] + second, tmp_path)
    assert [(name, said) for name, said in cut if isinstance(said, bytes)] == [
        ("a.jpg", b"a.jpg"),
        ("c.jpg", b"c.jpg"),
        ("d.jpg", b"d.jpg"),
    ]
    assert ("", "tar header at byte 1024 is damaged; 6 bytes passed over") in cut


def test_links__have_the_bytes_of_what_they_lead_to(tmp_path: Path) -> None:
    content = packed(
        ["d/a.jpg", "b.bin"],
        hard=(b"1", "d/a.jpg"),
        soft=(b"2", "./d/../d/a.jpg"),
        chain=(b"2", "soft.jpg"),
        other=(b"1", "b.bin"),
        gone=(b"1", "no.jpg"),
        out=(b"2", "/etc/passwd"),
        round=(b"2", "round.jpg"),
    )
    assert dict(contents(content, tmp_path)) == {
        "d/a.jpg": b"d/a.jpg",
        "hard.jpg": b"d/a.jpg",
        "soft.jpg": b"d/a.jpg",
        "chain.jpg": b"d/a.jpg",
        "other.jpg": b"b.bin",
        "gone.jpg": "is a link to no.jpg, which is not in the tar",
        "out.jpg": "is a link to /etc/passwd, which is not in the tar",
        "round.jpg": "is a link that leads back to itself",
    }


def test_hard_link__means_the_member_before_it(tmp_path: Path) -> None:
    content = packed(["a.jpg"], hard=(b"1", "a.jpg"))
    first = [m.start for m in members(content + packed(["a.jpg"]), tmp_path) if m.name]
    assert first[1] == first[0] != first[2]


@pytest.mark.parametrize(
    ("size", "reason"),
    [
        pytest.param(b"-0000000005\0", "is damaged", id="negative octal"),
        pytest.param(b"\xff" * 11 + b"\xfb", "is damaged", id="negative base-256"),
        pytest.param(b"\x80" + b"\x7f" * 11, "more than the 512 MB", id="huge base-256"),
        pytest.param(b"77777777777\0", "more than the 512 MB", id="8 GiB"),
        pytest.param(b"00000100000\0", "ends after", id="behind the end"),
        pytest.param(b"not a size!!", "is damaged", id="text"),
    ],
)
def test_size__that_cannot_be_is_one_failure(tmp_path: Path, size: bytes, reason: str) -> None:
    content = changed(packed(["a.jpg", "b.jpg", "c.jpg"]), "b.jpg", 124, size)
    found = contents(content, tmp_path)
    assert found[0] == ("a.jpg", b"a.jpg")
    assert reason in str(found[1][1])
    assert found[-1] == ("c.jpg", b"c.jpg")


def test_extended_header__of_garbage_is_said_and_the_member_is_read(tmp_path: Path) -> None:
    content = bytearray(packed(["ü" * 80 + ".jpg", "b.jpg"], tarfile.PAX_FORMAT))
    content[512:530] = b"99999999 path=x\0\0\0"
    found = contents(bytes(content), tmp_path)
    assert found[0][1] == "extended tar header at byte 0 is damaged; the next name may be short"
    assert found[-1] == ("b.jpg", b"b.jpg")
    huge = changed(bytes(content), "././@PaxHeader", 124, b"37777777777\0")
    assert contents(huge, tmp_path)[-1] == ("b.jpg", b"b.jpg")


def test_sparse__is_a_failure_and_not_its_map(tmp_path: Path) -> None:
    content = changed(packed(["a.jpg", "b.jpg"]), "a.jpg", 156, b"S")
    assert contents(content, tmp_path) == [
        ("a.jpg", "is stored as a sparse file in its tar"),
        ("b.jpg", b"b.jpg"),
    ]


def test_hidden_and_other_members__are_counted(tmp_path: Path) -> None:
    passed = PassedOver()
    names = ["a.jpg", "._a.jpg", "__MACOSX/a.jpg", "a.json", "./b.jpg"]
    assert [m.name for m in members(packed(names), tmp_path, passed)] == ["a.jpg", "./b.jpg"]
    assert passed.sentences() == [
        f"1 files passed over: .json 1 (first: {tmp_path}/x.tar/a.json).",
        f"2 hidden files passed over (first: {tmp_path}/x.tar/._a.jpg).",
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "empty file", id="empty"),
        pytest.param(b"text", "truncated header", id="short"),
        pytest.param(b"x" * 5000, "its first header is damaged", id="garbage"),
        pytest.param(b"\x1f\x8b" + b"x" * 5000, "packed with gzip; unpack it first", id="gzip"),
    ],
)
def test_no_tar__is_one_failure(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(ImageError, match=f"is no tar that can be read .*{reason}"):
        members(content, tmp_path)


def test_tar__without_its_end_is_noticed(tmp_path: Path) -> None:
    passed = PassedOver()
    assert len(members(packed(["a.jpg"])[:1024], tmp_path, passed)) == 1
    assert "no mark of their end" in passed.sentences()[0]
    (_, cut) = members(packed(["a.jpg"])[:800], tmp_path)
    assert cut.failure == "tar ends within a block, at byte 800; what followed is lost"
    assert members(b"\0" * 10240, tmp_path) == []


def _flip(content: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 3, 20))):
        content[rng.randrange(len(content))] = rng.randrange(256)


def _cut(content: bytearray, rng: random.Random) -> None:
    del content[rng.randrange(len(content)) :]


def _lose_the_middle(content: bytearray, rng: random.Random) -> None:
    start = rng.randrange(len(content))
    del content[start : start + rng.randrange(3000)]


def _repeat_a_part(content: bytearray, rng: random.Random) -> None:
    start = rng.randrange(len(content))
    content[start:start] = content[start : start + rng.randrange(3000)]


def _forge(content: bytearray, rng: random.Random) -> None:
    """Put garbage into a header and make its checksum right again."""
    at = 512 * rng.randrange(max(1, len(content) // 512))
    place = rng.choice((0, 100, 124, 136, 156, 157, 257, 345, 386, 482))
    garbage = rng.choice((b"\xff" * 12, b"\x80" + bytes(11), rng.randbytes(12), b"S", b"L", b"x"))
    header = bytes(content[at : at + 512])
    header = header[:place] + garbage + header[place + len(garbage) :]
    content[at : at + 512] = with_checksum(header[:512].ljust(512, b"\0"))


MUTATIONS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    _flip,
    _cut,
    _lose_the_middle,
    _repeat_a_part,
    _forge,
)


def mutated(seed: int) -> bytes:
    rng = random.Random(seed)  # noqa: S311 - no secret
    tar_format = rng.choice(_FORMATS)
    long = "b" * (120 if tar_format != tarfile.USTAR_FORMAT else 90)
    names = [rng.choice(("a", long, "ü" * 40, "c/d")) + f"{n}.jpg" for n in range(4)]
    content = bytearray(packed(names, tar_format, hard=(b"1", names[0]), soft=(b"2", names[1])))
    for _ in range(rng.choice((1, 1, 2))):
        rng.choice(MUTATIONS)(content, rng)
        content = content or bytearray(1)
    return bytes(content)


@pytest.mark.parametrize("start", range(0, 150, 50))
def test_mutated_tars__give_rows_and_end(tmp_path: Path, start: int) -> None:
    for seed in range(start, start + 50):
        content = mutated(seed)
        try:
            found = contents(content, tmp_path)
        except ImageError:  # no header is left at all
            continue
        assert len(found) <= len(content) // 512 + 1, seed
        assert all(name or isinstance(said, str) for name, said in found), seed
