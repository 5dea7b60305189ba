"""A few images from a server here: where they may be, what may come instead, what stays."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import zipfile
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

from finding_nemo.core.errors import (
    DatasetError,
    ImageError,
    NoSpaceError,
    OtherRunError,
    OutputError,
    OutputExistsError,
)
from finding_nemo.core.files.locking import held_alone
from finding_nemo.core.records import Split, SplitRow
from finding_nemo.core.reporter import Reporter
from finding_nemo.data.dataset import read_dataset
from finding_nemo.fetching.fetch_images import (
    FetchRequest,
    FetchSummary,
    dry_run_fetch,
    fetch_images,
)
from finding_nemo.fetching.fetch_run import Sources
from finding_nemo.fetching.fetched_list import STATE_FOLDER
from finding_nemo.fetching.transfer.politeness import Politeness
from finding_nemo.fetching.transfer.unfinished_file import UnfinishedFile
from finding_nemo.fetching.verify_image import verify_image
from misbehaving_server import MisbehavingServer, tag_of

pytestmark = pytest.mark.usefixtures("no_proxy")
UUID = "3b6f01ae-5bde-434d-9b06-79b269421ed6"
QUICK = Politeness(
    per_s=500.0,
    tries=4,
    first_wait_s=0.01,
    longest_wait_s=0.02,
    connect_s=2.0,
    silent_s=2.0,
    grace_s=2.0,
)
NOWHERE = Sources(domain="fathomnet.invalid", moved_to="", api="")
Answer = Callable[[str, bytes], tuple[int, dict[str, str], bytes]]


def picture(seed: int, *, side: int = 12) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (side, side, 3), dtype=np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


def write_annotations(folder: Path, urls: Mapping[str, str]) -> Path:
    """Write a COCO file: from an image's file name to its address."""
    images = [
        {"id": n, "file_name": name, "coco_url": url, "width": 12, "height": 12}
        for n, (name, url) in enumerate(urls.items())
    ]
    path = folder / "annotations.json"
    path.write_text(json.dumps({"images": images, "categories": [{"id": 1, "name": "Crab"}]}))
    return path


class Fetched(NamedTuple):
    summary: FetchSummary
    folder: Path
    words: list[str]

    def content(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    @property
    def reason(self) -> str:
        (missing,) = self.summary.missing
        return missing.reason


def fetched(folder: Path, urls: Mapping[str, str], **choices: Any) -> Fetched:
    words: list[str] = []
    values: dict[str, Any] = {"politeness": QUICK, "sources": NOWHERE, **choices}
    request = FetchRequest(
        annotations=write_annotations(folder, urls), folder=folder / "images", **values
    )
    return Fetched(fetch_images(request, Reporter(words.append)), folder / "images", words)


def test_images__arrive_with_their_list_and_a_second_run_asks_nothing(tmp_path: Path) -> None:
    files = {f"/{n} é.png": picture(n) for n in range(3)}
    quoted = {f"/{n}%20%C3%A9.png": content for n, content in enumerate(files.values())}
    with MisbehavingServer(quoted) as server:
        urls = {f"dive {n}/{n}.png": f"{server.url}/{n} é.png" for n in range(3)}
        found = fetched(tmp_path, urls)
        again = fetched(tmp_path, urls)
        assert len(server.account.asked) == 3
    for n, content in enumerate(files.values()):
        assert found.content(f"dive {n}/{n}.png") == content
    (first, *_) = found.summary.fetched
    assert (first.file, first.width, first.height) == ("dive 0/0.png", 12, 12)
    assert first.sha256 == sha256(picture(0)).hexdigest()
    assert first.n_bytes == len(picture(0))
    assert (found.summary.n_new, again.summary.n_new) == (3, 0)
    assert again.summary.fetched == found.summary.fetched
    assert found.summary.missing_path is None
    assert found.summary.fetched_path.read_text().count("\n") == 4


def test_images_that_are_here__are_not_asked_for_and_damaged_ones_are_named(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images/own.png").write_bytes(picture(1))
    (tmp_path / "images/page.png").write_bytes(b"<html>an earlier download</html>")
    with MisbehavingServer({}) as server:
        names = ("own.png", "page.png")
        found = fetched(tmp_path, {name: f"{server.url}/{name}" for name in names})
        assert server.account.asked == []
    assert [image.file for image in found.summary.fetched] == ["own.png"]
    assert "web page" in found.reason
    assert "delete it" in found.reason
    assert found.content("page.png").startswith(b"<html>")


def test_part__is_gone_on_with_by_its_version(tmp_path: Path) -> None:
    content = picture(1, side=60)
    with MisbehavingServer({"/a.png": content}) as server:
        url = f"{server.url}/a.png"
        unfinished = UnfinishedFile(tmp_path / "images" / STATE_FOLDER, "a.png")
        with unfinished.begin(url, validator=tag_of(content), total=len(content)) as file:
            file.write(content[:5000])
        found = fetched(tmp_path, {"a.png": url})
        assert [(each.range, each.done) for each in server.account.asked] == [
            ("bytes=5000-", "part")
        ]
    assert found.content("a.png") == content


@pytest.mark.parametrize("has_ranges", [True, False])
def test_part__of_another_version_is_fetched_anew(tmp_path: Path, has_ranges: bool) -> None:
    old, new = picture(1, side=60), picture(2, side=60)
    with MisbehavingServer({"/a.png": new}, has_ranges=has_ranges) as server:
        url = f"{server.url}/a.png"
        unfinished = UnfinishedFile(tmp_path / "images" / STATE_FOLDER, "a.png")
        with unfinished.begin(url, validator=tag_of(old), total=len(old)) as file:
            file.write(old[:5000])
        found = fetched(tmp_path, {"a.png": url})
    assert found.content("a.png") == new


def test_part__that_is_whole_is_taken_without_a_question(tmp_path: Path) -> None:
    content = picture(1)
    with MisbehavingServer({}) as server:
        url = f"{server.url}/a.png"
        unfinished = UnfinishedFile(tmp_path / "images" / STATE_FOLDER, "a.png")
        with unfinished.begin(url, validator="", total=len(content)) as file:
            file.write(content)
        found = fetched(tmp_path, {"a.png": url})
        assert server.account.asked == []
    assert found.content("a.png") == content
    assert list((tmp_path / "images" / STATE_FOLDER).glob("*.unfinished")) == []


def test_coded_answer__is_kept_decoded(tmp_path: Path) -> None:
    content = picture(1)
    coded: Answer = lambda _, __: (200, {"Content-Encoding": "gzip"}, gzip.compress(content))  # noqa: E731
    with MisbehavingServer({}, special={"/a.png": coded}) as server:
        assert fetched(tmp_path, {"a.png": f"{server.url}/a.png"}).content("a.png") == content


@pytest.mark.parametrize(
    ("status", "headers", "body", "words"),
    [
        (200, {"Content-Type": "text/html"}, b"<p>sign in", "web page"),
        (200, {}, b"<!DOCTYPE html><p>sign in", "web page"),
        (200, {}, b"\x89PNG\r\n\x1a\nhalf", "cut off before its end"),
        (200, {}, b"", "empty"),
        (404, {}, b"none", "404 Not Found"),
        (500, {}, b"oh", "500 Internal Server Error (4 tries)"),
        (302, {"Location": "file:///etc/passwd"}, b"", "no address"),
        (302, {"Location": "/a.png"}, b"", "round and round"),
    ],
)
def test_what_is_no_image__is_listed_with_why(
    tmp_path: Path, status: int, headers: dict[str, str], body: bytes, words: str
) -> None:
    with MisbehavingServer({}, special={"/a.png": lambda _, __: (status, headers, body)}) as server:
        found = fetched(tmp_path, {"a.png": f"{server.url}/a.png"})
    assert words in found.reason
    assert not (found.folder / "a.png").exists()
    assert found.summary.missing_path is not None
    assert list((found.folder / STATE_FOLDER).glob("*.unfinished")) == []


@pytest.mark.parametrize(("kind", "n_cut"), [("PNG", 1), ("PNG", 20), ("WEBP", 1), ("JPEG", 40)])
def test_file_without_its_last_bytes__is_not_the_one_that_was_asked_for(
    tmp_path: Path, kind: str, n_cut: int
) -> None:
    content = io.BytesIO()
    Image.open(io.BytesIO(picture(1, side=40))).save(content, kind)
    (tmp_path / "a.png").write_bytes(content.getvalue())
    assert verify_image(tmp_path / "a.png").width == 40
    (tmp_path / "a.png").write_bytes(content.getvalue()[:-n_cut])
    with pytest.raises(ImageError):
        verify_image(tmp_path / "a.png")


def test_the_same_damage__is_believed_after_the_third_time(tmp_path: Path) -> None:
    broken = picture(1)[:-20]
    polite = Politeness(per_s=500.0, tries=100, first_wait_s=0.01, longest_wait_s=0.01)
    with MisbehavingServer({"/a.png": broken}) as server:
        fetched(tmp_path, {"a.png": f"{server.url}/a.png"}, politeness=polite)
        assert len(server.account.asked) == 3


def test_redirect__to_another_host_is_followed(tmp_path: Path) -> None:
    with MisbehavingServer({"/b%20c.png": picture(1)}) as other:
        to = {"Location": f"{other.url}/b c.png"}
        with MisbehavingServer({}, special={"/a.png": lambda _, __: (302, to, b"")}) as server:
            found = fetched(tmp_path, {"a.png": f"{server.url}/a.png"})
    (image,) = found.summary.fetched
    assert image.url == f"{other.url}/b%20c.png"
    assert image.asked_url.endswith("/a.png")


def test_addresses__of_a_table_and_of_a_zip(tmp_path: Path) -> None:
    with MisbehavingServer({"/a.png": picture(1)}) as server:
        url = f"{server.url}/a.png"
        table = tmp_path / "table.csv"
        table.write_text(f"path,categories,url\ndive/a.png,Crab,{url}\n")
        zipped = tmp_path / "kaggle.zip"
        coco = json.dumps({"images": [{"id": 1, "file_name": "a.png", "coco_url": url}]})
        with zipfile.ZipFile(zipped, "w") as archive:
            archive.writestr("category_key.csv", "id,name,supercat\n1,Crab,Animal\n")
            archive.writestr("object_detection/train.json", coco)
        for path, file in ((table, "dive/a.png"), (zipped, "a.png")):
            folder = tmp_path / path.stem
            request = FetchRequest(
                annotations=path, folder=folder, politeness=QUICK, sources=NOWHERE
            )
            assert fetch_images(request, Reporter()).n_new == 1
            assert (folder / file).read_bytes() == picture(1)
            (record,) = read_dataset(path, images=folder).records
            assert record.path == folder / file


def test_proxy_of_the_environment__is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "http://images.invalid/a.png"
    with MisbehavingServer({url: picture(1)}) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        found = fetched(tmp_path, {"a.png": url})
        assert [each.path for each in proxy.account.asked] == [url]
    assert found.content("a.png") == picture(1)


def test_ipv6__is_asked(tmp_path: Path) -> None:
    try:
        server = MisbehavingServer({"/a.png": picture(1)}, host="::1").__enter__()
    except OSError:
        pytest.skip("this machine has no IPv6")
    try:
        assert server.url.startswith("http://[::1]:")
        assert fetched(tmp_path, {"a.png": f"{server.url}/a.png"}).content("a.png") == picture(1)
    finally:
        server.__exit__(None, None, None)


def test_fathomnet__is_asked_at_its_new_place_and_then_by_uuid(tmp_path: Path) -> None:
    asked: list[list[str]] = []

    def api(_: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        asked.append(json.loads(body))
        entry = {
            "uuid": UUID,
            "url": f"{server.url}/now/a.png",
            "sha256": sha256(picture(1)).hexdigest(),
            "depthMeters": 812.5,
            "boundingBoxes": [{"concept": "Sebastes"}],
        }
        return 200, {}, json.dumps([entry]).encode()

    files = {"/now/a.png": picture(1), "/static/b.png": picture(2)}
    with MisbehavingServer(files, special={"/api/images/query/uuids": api}) as server:
        port = server.url.rpartition(":")[2]
        old = f"http://localhost:{port}/old"  # the same server by another name
        sources = Sources(domain="localhost", moved_to=server.url, api=f"{server.url}/api")
        urls = {f"{UUID}.png": f"{old}/a.png", "b.png": f"http://localhost:{port}/static/b.png"}
        found = fetched(tmp_path, urls, sources=sources)
        paths = [each.path for each in server.account.asked]
    assert asked == [[UUID]]
    assert paths.count("/old/a.png") == 2  # as given, and the same path at the new place
    image = next(image for image in found.summary.fetched if image.image_id == UUID)
    assert image.depth_m == 812.5
    assert found.content(f"{UUID}.png") == picture(1)
    every = [path.read_bytes() for path in found.folder.rglob("*") if path.is_file()]
    assert all(b"Sebastes" not in content for content in every)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"url": "{url}/now/a.png", "sha256": "0" * 64}, "checksum"),
        ({"url": ""}, "no other address"),
        (None, "no such uuid"),
    ],
)
def test_fathomnet__that_does_not_help_is_one_more_reason(
    tmp_path: Path, entry: dict[str, str] | None, words: str
) -> None:
    def api(_: str, __: bytes) -> tuple[int, dict[str, str], bytes]:
        known = {name: value.format(url=server.url) for name, value in (entry or {}).items()}
        answer = [] if entry is None else [{"uuid": UUID, **known}]
        return 200, {}, json.dumps(answer).encode()

    special = {"/api/images/query/uuids": api}
    with MisbehavingServer({"/now/a.png": picture(1)}, special=special) as server:
        sources = Sources(domain="127.0.0.1", moved_to="", api=f"{server.url}/api")
        found = fetched(tmp_path, {f"{UUID}.png": f"{server.url}/a.png"}, sources=sources)
    assert words in found.reason
    assert "404" in found.reason


def test_half_an_image_of_a_server_that_is_gone__is_kept_for_the_next_run(tmp_path: Path) -> None:
    content = picture(1, side=60)
    with MisbehavingServer({}) as server:
        url = f"{server.url}/a.png"
    unfinished = UnfinishedFile(tmp_path / "images" / STATE_FOLDER, "a.png")
    with unfinished.begin(url, validator=tag_of(content), total=len(content)) as file:
        file.write(content[:5000])
    assert fetched(tmp_path, {"a.png": url}).summary.is_cut_off
    assert unfinished.begun(url).offset == 5000


def test_no_server__is_given_up_soon(tmp_path: Path) -> None:
    with MisbehavingServer({}) as server:
        url = server.url
    found = fetched(tmp_path, {f"{n}.png": f"{url}/{n}.png" for n in range(50)})
    assert len(found.summary.missing) == 50
    assert all("cannot be reached" in image.reason for image in found.summary.missing[10:])
    assert found.summary.is_cut_off


def test_part_of_a_split_and_limit(tmp_path: Path) -> None:
    rows = tuple(SplitRow(str(n), "d", "test" if n > 1 else "train") for n in range(4))
    with MisbehavingServer({f"/{n}.png": picture(n) for n in range(4)}) as server:
        urls = {f"{n}.png": f"{server.url}/{n}.png" for n in range(4)}
        found = fetched(tmp_path, urls, split=Split(rows), part="test", limit=1)
    assert [image.file for image in found.summary.fetched] == ["2.png"]


def test_dry_run__asks_and_writes_nothing(tmp_path: Path) -> None:
    with MisbehavingServer({"/a.png": picture(1)}) as server:
        path = write_annotations(tmp_path, {"a.png": f"{server.url}/a.png"})
        found = dry_run_fetch(FetchRequest(annotations=path, folder=tmp_path / "images"))
        assert server.account.asked == []
    assert found.work == (f"fetch 1 images from {server.url}",)
    assert {estimate.name for estimate in found.estimates} == {"time", "disk"}
    assert sorted(each.name for each in tmp_path.iterdir()) == ["annotations.json"]


def test_disk_that_is_too_small__is_refused_before_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 10})
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(NoSpaceError, match="--limit"):
        fetched(tmp_path, {"a.png": "http://127.0.0.1:1/a.png"})


def test_disk_that_becomes_full__ends_it_and_keeps_what_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = UnfinishedFile.begin

    def full(self: UnfinishedFile, url: str, **values: Any) -> Any:
        if url.endswith("b.png"):
            raise NoSpaceError("The disk is full.")
        return begin(self, url, **values)

    monkeypatch.setattr(UnfinishedFile, "begin", full)
    with MisbehavingServer({f"/{n}.png": picture(1) for n in "abc"}) as server:
        urls = {f"{n}.png": f"{server.url}/{n}.png" for n in "abc"}
        with pytest.raises(NoSpaceError, match="full"):
            fetched(tmp_path, urls)
        monkeypatch.undo()
        found = fetched(tmp_path, urls)
    assert len(found.summary.fetched) == 3
    assert (tmp_path / "images/a.png").is_file()


def test_a_name_that_cannot_be_written__is_a_row(tmp_path: Path) -> None:
    name = f"{'n' * 300}.png"
    with MisbehavingServer({"/a.png": picture(1), "/b.png": picture(2)}) as server:
        found = fetched(tmp_path, {name: f"{server.url}/a.png", "b.png": f"{server.url}/b.png"})
    assert "too long" in found.reason
    assert found.content("b.png") == picture(2)


def test_annotations_without_addresses__are_refused_and_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="coco_url"):
        fetched(tmp_path, {"a.png": ""})
    assert not (tmp_path / "images").exists()


def test_two_at_once__are_refused(tmp_path: Path) -> None:
    lock = tmp_path / "images" / STATE_FOLDER / "lock"
    with held_alone(lock, "fetches"), pytest.raises(OtherRunError):
        fetched(tmp_path, {"a.png": "http://127.0.0.1:1/a.png"})


def test_an_address_for_an_output__is_refused(tmp_path: Path) -> None:
    request = FetchRequest(annotations=tmp_path / "a.json", folder=Path("s3://bucket/images"))
    with pytest.raises(OutputError, match="address"):
        fetch_images(request, Reporter())


@pytest.mark.parametrize("name", ["fetched.csv", "missing.csv"])
def test_a_table_of_the_persons_own__is_never_replaced(tmp_path: Path, name: str) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / name).write_text("path,categories\na.png,Crab\n")
    with pytest.raises(OutputExistsError, match="no fetch wrote"):
        fetched(tmp_path, {"a.png": "http://127.0.0.1:1/a.png"})
    assert (tmp_path / "images" / name).read_text().endswith("Crab\n")
    (tmp_path / "images" / name).unlink()
    (tmp_path / "images" / name).mkdir()
    with pytest.raises(OutputExistsError):
        fetched(tmp_path, {"a.png": "http://127.0.0.1:1/a.png"})


def test_terms__are_named_once(tmp_path: Path) -> None:
    words = fetched(tmp_path, {"a.png": "http://127.0.0.1:1/a.png"}).words
    assert not any("terms" in each for each in words)
    urls = {f"{n}.png": f"http://127.0.0.1:1/{n}.png" for n in range(2)}
    path = write_annotations(tmp_path, urls | {"c.png": "https://fathomnet.org/c.png"})
    assert dry_run_fetch(FetchRequest(annotations=path, folder=tmp_path / "x")).work
