"""A dive reviewed by keyboard, against the server itself: nothing marked or saved is lost."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from finding_nemo import Predictor

# Of conftest.py: a drawn dive, a server, and what opens a page.
DrawnDive: TypeAlias = Any
Server: TypeAlias = Any
OpenReview: TypeAlias = Callable[..., Any]

_N_FRAMES, _MOST_REVIEWS = 200, 60


@pytest.fixture(scope="module")
def drawn(
    write_drawn_dive: Callable[..., DrawnDive], tmp_path_factory: pytest.TempPathFactory
) -> DrawnDive:
    return write_drawn_dive(tmp_path_factory.mktemp("review"), n_frames=_N_FRAMES)


@pytest.fixture(scope="module")
def server(drawn: DrawnDive, start_server: Callable[..., Server]) -> Server:
    return start_server(*drawn.command("--reviewer", "anna"))


def shown_id(page: Any) -> str:
    """Return the id of the frame in review, once it is there."""
    row = page.evaluate("location.hash").split("/")[2].split("?")[0]
    page.wait_for_selector(f".stage img.large[src^='/frames/{row}/image']")
    page.wait_for_selector(".about:not([aria-busy])")
    return str(page.locator(".about .file bdi").inner_text())


def mark(page: Any, name: str) -> None:
    """Mark a name by its digit."""
    names = page.locator(".guess:not([hidden]) .name").all_inner_texts()
    page.keyboard.press(str(names.index(name) + 1))
    page.wait_for_selector(".is-there")


def save(page: Any) -> str:
    """Press Enter, and return what the page then says."""
    page.keyboard.press("Enter")
    page.wait_for_selector("#said:has-text('Saved')")
    page.wait_for_selector("#frame-view:not(.busy)")
    said = str(page.locator("#said").inner_text())
    page.evaluate("document.getElementById('said').textContent = ''")
    return said


def test_dive__is_reviewed_by_keyboard_until_the_rest_is_good(
    drawn: DrawnDive, server: Server, open_review: OpenReview, tiny_folder: Path, tmp_path: Path
) -> None:
    page = open_review(server.url).page
    page.wait_for_selector(".cell img:not([hidden])")
    assert page.locator("#count").inner_text() == "200 frames"
    page.keyboard.press("r")
    seen: list[str] = []
    for _ in range(_MOST_REVIEWS):
        page.wait_for_selector(".about .reason")
        seen.append(shown_id(page))
        mark(page, drawn.truth[seen[-1]])
        said = save(page)
        assert said.startswith(f"Saved: {drawn.truth[seen[-1]]}. 0."), said
        if "0.95 is reached" in page.locator("#quality").inner_text():
            break
    else:
        pytest.fail(page.locator("#quality").inner_text())
    assert len(set(seen)) == len(seen) < _MOST_REVIEWS

    # The last one is taken back: what was said is marked still, and saved once more.
    shown_id(page)
    page.keyboard.press("u")
    page.wait_for_selector("#said:has-text('Undone')")
    assert shown_id(page) == seen[-1]
    assert page.locator(".is-there .name").inner_text() == drawn.truth[seen[-1]]
    save(page)

    # A reload loses nothing: the same frame, the same count.
    counted, here = page.locator("#quality").inner_text(), shown_id(page)
    page.reload()
    assert shown_id(page) == here
    assert page.locator("#quality").inner_text() == counted
    page.keyboard.press("Escape")
    page.select_option("#state", "reviewed")
    page.wait_for_selector(f"#count:has-text('{len(seen)} of 200 frames')")

    page.click("#exports summary")
    with page.expect_download() as download:
        page.click("#exports a[href='/export/reviews.csv']")
    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(text))}
    assert set(rows) == set(seen)
    assert {row["reviewer"] for row in rows.values()} == {"anna"}
    retrain(tmp_path, text, drawn, tiny_folder)


def retrain(folder: Path, reviews: str, drawn: DrawnDive, base: Path) -> None:
    """Train on what was exported, and find the reviewed categories in the bundle."""
    (folder / "reviews.csv").write_text(reviews, encoding="utf-8", newline="")
    command = ["--reviews", "reviews.csv", "--review-images", str(drawn.images), "--out", "run"]
    done = subprocess.run(
        [sys.executable, "-m", "finding_nemo", "train", str(base), "--recipe", "prior", *command],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = Predictor(folder / "run").bundle.categories.names
    assert set(found) >= set(drawn.truth.values())


def test_every_key__says_what_it_did_and_keeps_it(
    drawn: DrawnDive, server: Server, open_review: OpenReview
) -> None:
    page = open_review(f"{server.url}#/frame/150?at=150").page
    page.wait_for_selector(".guess")
    said = page.locator("#said")
    page.keyboard.press("Enter")
    page.wait_for_selector("#said:has-text('Nothing is marked')")
    # x alone says nothing of the others.
    page.keyboard.press("ArrowDown")
    absent = page.locator(".guess .name").first.inner_text()
    page.keyboard.press("x")
    page.wait_for_selector("#will:has-text('Others were not looked for')")
    page.keyboard.press("p")
    page.keyboard.press("Enter")
    page.wait_for_selector("#said:has-text('Only “not there” is marked')")
    page.keyboard.press("p")
    # A new name, by typing; what is half typed outlives a reload.
    page.keyboard.press("a")
    page.keyboard.type("Dumbo oct")
    page.reload()
    page.wait_for_selector(".is-absent")
    assert page.locator("#name-box input").input_value() == "Dumbo oct"
    page.keyboard.press("Enter")
    page.wait_for_selector("#said:has-text('is typed but not added')")
    page.keyboard.press("a")
    page.keyboard.type("opus")
    assert page.locator("#names li").all_inner_texts() == ["new name:\n“Dumbo octopus”"]
    page.keyboard.press("Enter")
    sentence = f"Dumbo octopus; not there: {absent}. Others were not looked for."
    page.wait_for_selector(f"#will:has-text('{sentence}')")
    page.keyboard.press("Enter")
    page.wait_for_selector("#said:has-text('Saved: Dumbo octopus')")
    page.wait_for_selector(".badge.done")
    assert "others were not looked for" in page.locator(".about .by").first.inner_text()
    # The new name is known from now on, and nothing there is an answer, too.
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#place:has-text('152 of 200')")
    page.keyboard.press("a")
    page.keyboard.type("dumbo")
    assert page.locator("#names li .name").all_inner_texts()[0] == "Dumbo octopus"
    page.keyboard.press("Escape")
    for _ in "dumbo":
        page.locator("#name-box input").press("Backspace")
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    page.wait_for_selector("#said:has-text('Saved: nothing there')")
    page.wait_for_selector(".about h2:has-text('nothing there')")
    for _ in range(2):
        said.evaluate("element => { element.textContent = ''; }")
        page.keyboard.press("u")
        page.wait_for_selector("#said:has-text('Undone')")
    page.keyboard.press("Escape")
    page.wait_for_selector(".cell button:focus")


def test_skip__brings_another_frame_and_back_again(server: Server, open_review: OpenReview) -> None:
    page = open_review(server.url).page
    page.wait_for_selector(".cell img:not([hidden])")
    page.keyboard.press("r")
    page.wait_for_selector(".about .reason")
    first = shown_id(page)
    page.keyboard.press("s")
    page.wait_for_selector("#said:has-text('Skipped')")
    second = shown_id(page)
    assert second != first
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector(f".about .file:has-text('{first}')")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(f".about .file:has-text('{second}')")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#said:has-text('newest suggestion')")


def test_server_that_dies__loses_nothing_marked_or_saved(
    drawn: DrawnDive, server: Server, open_review: OpenReview
) -> None:
    one = open_review(f"{server.url}#/frame/160?at=160")
    page = one.page
    page.wait_for_selector(".guess")
    name = drawn.truth["frame_0160"]
    mark(page, name)
    counted = page.locator("#quality").inner_text()
    server.kill()
    page.keyboard.press("Enter")
    page.wait_for_selector("#fault:has-text('does not answer')")
    assert page.locator(".is-there .name").inner_text() == name
    server.start()
    page.click("#fault button:has-text('Try again')")
    page.wait_for_selector(f"#said:has-text('Saved: {name}')")
    page.wait_for_selector(".badge.done")
    assert page.locator("#quality").inner_text() != counted
    # The browser itself notes the request that had no answer.
    assert all("ERR_CONNECTION_REFUSED" in fault for fault in one.faults)
    one.faults.clear()


def test_failed_frame__says_why_and_takes_no_review(
    server: Server, open_review: OpenReview
) -> None:
    page = open_review(f"{server.url}#/frame/3?at=3").page
    page.wait_for_selector(".about .failed:has-text('ends too early')")
    assert page.locator("#act").is_hidden()
    page.keyboard.press("n")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#place:has-text('5 of 200')")


def test_token__opens_the_page_and_its_images(
    drawn: DrawnDive, start_server: Callable[..., Server], open_review: OpenReview, tmp_path: Path
) -> None:
    copied = tmp_path / "dive.parquet"
    copied.write_bytes(drawn.predictions.read_bytes())
    command = ["review", copied, "--images", drawn.images, "--token", "sesame-sesame-sesame"]
    other = start_server(*command)
    page = open_review(f"{other.url}#token=sesame-sesame-sesame").page
    page.wait_for_selector(".cell img:not([hidden])")
    assert "sesame" not in page.evaluate("location.href")
    locked = open_review(other.url)
    locked.page.wait_for_selector("#fault:has-text('token')")
    assert all("401" in fault for fault in locked.faults)
    locked.faults.clear()
