"""Every view of the review page: readable for all, on a phone and on a wall, with odd names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

# Of conftest.py: a drawn dive, a server, and what opens a page.
DrawnDive: TypeAlias = Any
Server: TypeAlias = Any
OpenReview: TypeAlias = Callable[..., Any]

_ODD = "<img src=x onerror=alert(1)>\"'&"
_NAMES = (_ODD, "long " * 60, "نجم البحر", "sea pen")
_SIZES = [(390, False), (1280, True), (1280, False), (3840, False)]


@pytest.fixture(scope="module")
def server(
    write_drawn_dive: Callable[..., DrawnDive],
    start_server: Callable[..., Server],
    tmp_path_factory: pytest.TempPathFactory,
) -> Server:
    folder = tmp_path_factory.mktemp("views")
    drawn = write_drawn_dive(folder, n_frames=60, names=_NAMES, dive=f"Tow {_ODD}")
    return start_server(*drawn.command("--reviewer", _ODD[:40]))


def check(page: Any, what: str) -> None:
    """Fail where people who cannot see or point are shut out, or the page is wider than it is."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    # Half-faded colours of a moment ago are no fault.
    page.wait_for_timeout(150)
    found = axe.Axe().run(page).response["violations"]
    serious = [one for one in found if one["impact"] in {"serious", "critical"}]
    told = [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in serious]
    assert not told, what
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), what


@pytest.mark.parametrize(("width", "dark"), _SIZES)
def test_every_view__is_readable_for_all(
    server: Server, open_review: OpenReview, width: int, dark: bool
) -> None:
    height = {390: 844, 1280: 800, 3840: 2160}[width]
    one = open_review(server.url, width=width, height=height, dark=dark)
    page = one.page
    page.wait_for_selector(".cell img:not([hidden])")
    assert page.evaluate("scrollY") == 0
    check(page, "list")
    page.click("#exports summary")
    check(page, "exports")
    page.click("#exports summary")
    page.locator(".cell button").first.click()
    page.wait_for_selector(".guess")
    check(page, "frame")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("x")
    page.wait_for_selector(".is-absent")
    check(page, "marked as not there")
    page.keyboard.press("x")
    page.keyboard.press("r")
    page.wait_for_selector(".about .reason")
    page.keyboard.press("1")
    page.keyboard.press("a")
    page.keyboard.type("n")
    page.wait_for_selector("#names li")
    check(page, "names")
    page.keyboard.press("Escape")
    page.locator("#name-box input").fill("")
    page.locator(".about h2").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#said:has-text('Saved')")
    check(page, "saved")
    page.keyboard.press("?")
    page.wait_for_selector("#help[open]")
    check(page, "help")
    page.keyboard.press("Escape")
    page.goto(f"{server.url}#/frame/3?at=3")
    page.wait_for_selector(".about .failed")
    check(page, "failed frame")
    page.goto(f"{server.url}#/?state=failed&unusual=0.99")
    page.wait_for_selector("#nothing:not([hidden])")
    check(page, "no frame fits")
    page.goto(f"{server.url}#/frame/77777")
    page.wait_for_selector("#fault:not([hidden])")
    check(page, "no such frame")
    # The browser itself notes the refused request.
    assert [fault for fault in one.faults if "404" not in fault] == []
    one.faults.clear()


def test_odd_names__are_text_everywhere(server: Server, open_review: OpenReview) -> None:
    one = open_review(server.url)
    page = one.page
    page.wait_for_selector(".cell img:not([hidden])")
    assert any(_ODD in text for text in page.locator("#dive option").all_inner_texts())
    page.select_option("#dive", f"Tow {_ODD}")
    page.wait_for_selector("#count:has-text('60 frames')")
    page.reload()
    page.wait_for_selector("#count:has-text('60 frames')")
    assert page.locator("#dive").input_value() == f"Tow {_ODD}"
    page.keyboard.press("r")
    page.wait_for_selector(".about .reason")
    names = page.locator(".guess .name").all_inner_texts()
    assert set(names) == {name.strip() for name in _NAMES}
    page.keyboard.press(str(names.index(_ODD) + 1))
    page.wait_for_selector("#will bdi")
    assert page.locator("#will bdi").inner_text() == f"{_ODD}. Nothing else is there."
    page.keyboard.press("a")
    page.keyboard.type("<b>new\u202e</b>")
    assert "<b>new</b>" in page.locator("#names li").last.inner_text()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_selector("#said:has-text('Saved')")
    assert page.locator("img[src='x'], b:has-text('new')").count() == 0
    page.keyboard.press("u")
    page.wait_for_selector("#said:has-text('Undone')")


def test_keyboard__comes_to_everything_and_leaves_it(
    server: Server, open_review: OpenReview
) -> None:
    page = open_review(server.url).page
    page.wait_for_selector(".cell img:not([hidden])")
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
    assert {"reviewer", "help-open", "dive", "next-frame", "animal", "order"} <= reached
    page.locator(".cell button").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert int(page.evaluate("document.activeElement.dataset.place")) > 1
    page.keyboard.press("End")
    page.wait_for_selector(".cell button[data-place='59']:focus")
    page.keyboard.press("Enter")
    page.wait_for_selector("#place:has-text('60 of 60')")
    page.keyboard.press("Escape")
    page.wait_for_selector(".cell button[data-place='59']:focus")
    page.go_back()
    page.wait_for_selector("#place:has-text('60 of 60')")


def test_help__lists_the_keys_as_the_docs_do(server: Server, open_review: OpenReview) -> None:
    page = open_review(server.url).page
    page.wait_for_selector(".cell img:not([hidden])")
    page.click("#help-open")
    shown = [
        "| `{}` | {} |".format(*(cell.inner_text() for cell in row.locator("td").all()))
        for row in page.locator("#keys tbody tr").all()
    ]
    text = (Path(__file__).parents[2] / "docs/review.md").read_text(encoding="utf-8")
    start = text.index("| `r` |")
    assert text[start : start + len("\n".join(shown)) + 1].splitlines() == shown


def test_keys_of_one_letter__can_be_switched_off(server: Server, open_review: OpenReview) -> None:
    page = open_review(server.url).page
    page.wait_for_selector(".cell img:not([hidden])")
    page.click("#help-open")
    page.uncheck("#keys-on")
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    page.wait_for_timeout(300)
    assert page.locator("#frame-view").is_hidden()


def test_touch_targets__are_44_px_on_a_phone(server: Server, open_review: OpenReview) -> None:
    page = open_review(server.url, width=390, height=844, has_touch=True, is_mobile=True).page
    page.wait_for_selector(".cell img:not([hidden])")
    page.locator(".cell button").first.tap()
    page.wait_for_selector(".guess")
    small = page.evaluate(
        """[...document.querySelectorAll("button, select, input, summary")]
        .filter((one) => one.offsetParent && !one.closest("dialog"))
        .map((one) => [one.id || one.className, one.getBoundingClientRect().height])
        .filter(([, height]) => height < 44)"""
    )
    assert small == []


def test_modules__say_what_is_marked(server: Server, open_review: OpenReview) -> None:
    page = open_review(server.url).page
    found = page.evaluate(
        """async () => {
          const marks = await import("/static/marks.js");
          const names = await import("/static/name_box.js");
          const place = await import("/static/place.js");
          const crab = {id: 1, name: "crab"}, worm = {id: null, name: "worm"};
          const both = marks.withPresent(marks.withPresent(marks.noMarks(), crab), worm);
          const one = marks.withPresent(both, crab);
          const absent = marks.withRejected(marks.noMarks(), crab);
          const known = ["Sea star", "Starfish", "Basket star", "Étoile", "Mustard"]
            .map((name, id) => ({id, name}));
          const there = place.placeOf("#/frame/5?dive=V%261&at=7&odd=1");
          return {
            both: marks.bodyOf(both, 4, "anna"),
            one: marks.sentenceOf(one),
            absent: marks.bodyOf(absent, 4, ""),
            complete: marks.problemOf(marks.withPartial(absent)),
            turned: marks.sentenceOf(marks.withPresent(absent, crab)),
            star: names.matches("star", known).map((found) => found.name),
            accent: names.choices("etoile", known).map((found) => found.name),
            fresh: names.choices(" sea  pen ", known).map((found) => found.name),
            there,
            back: place.hashOf(there),
            bad: place.placeOf("#/frame/..%2F1?at=x"),
          };
        }"""
    )
    assert found["both"] == {
        "row": 4,
        "categories": [1, "worm"],
        "rejected": [],
        "complete": True,
        "reviewer": "anna",
    }
    assert found["one"] == "worm. Nothing else is there."
    assert found["absent"]["rejected"] == [1]
    assert found["absent"]["complete"] is False
    assert found["complete"].startswith("Only “not there” is marked.")
    assert found["turned"] == "crab. Others were not looked for."
    assert found["star"] == ["Starfish", "Basket star", "Sea star", "Mustard"]
    assert found["accent"] == ["Étoile"]
    assert found["fresh"] == ["sea pen"]
    there = {"view": "frame", "row": 5, "at": 7, "filters": {"dive": "V&1"}}
    assert found["there"] == there
    assert found["back"] == "#/frame/5?dive=V%261&at=7"
    assert found["bad"] == {"view": "list", "row": None, "at": None, "filters": {}}


def test_page__is_whole_in_the_package() -> None:
    folder = Path(__file__).parents[2] / "src/finding_nemo/serving/static"
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "style=" not in page
    assert "<script>" not in page
    for path in folder.glob("*.js"):
        text = path.read_text(encoding="utf-8")
        assert "innerHTML" not in text, path
        assert text.count("\n") <= 400, path
        for line in text.splitlines():
            if line.startswith("import "):
                assert (folder / line.split('"')[1].removeprefix("./")).is_file(), line


@pytest.mark.parametrize(
    ("name", "shown"), [("drawn", "drawn|2026-11-28"), ("first", "first|drawn · 2026-11-28")]
)
def test_header__says_a_name_once_that_is_also_the_recipes(
    server: Server, open_review: OpenReview, name: str, shown: str
) -> None:
    page = open_review(server.url).page

    def renamed(route: Any) -> None:
        told = route.fetch()
        about = {**told.json(), "name": name, "created": "2026-11-28T09:00:00"}
        route.fulfill(response=told, json=about)

    page.route("**/model", renamed)
    page.reload()
    page.wait_for_selector("#model .made")
    assert "|".join(page.locator("#model > *").all_inner_texts()) == shown


def test_list_that_does_not_come__is_asked_for_again(
    server: Server, open_review: OpenReview
) -> None:
    one = open_review(server.url)
    page = one.page
    page.wait_for_selector(".cell img:not([hidden])")
    page.route("**/frames?**", lambda route: route.abort())
    page.select_option("#state", "failed")
    page.wait_for_selector("#fault:has-text('does not answer')")
    page.unroute("**/frames?**")
    page.click("#fault button:has-text('Try again')")
    page.wait_for_selector("#count:has-text('1 of 60 frames')")
    assert all("ERR_FAILED" in fault for fault in one.faults)
    one.faults.clear()


def test_value__is_never_shown_as_a_goal_that_is_not_reached(
    server: Server, open_review: OpenReview
) -> None:
    page = open_review(server.url).page
    script = """async (values) => {
      const {valueWords} = await import('/static/progress.js');
      const goals = [{value: 0.9, more_frames: 1}, {value: 0.95, more_frames: null}];
      return values.map((value) => valueWords({value, to_reach: goals}));
    }"""
    values = [0.0, 0.884, 0.888, 0.897, 0.9, 0.944, 0.9461, 0.95, 1.0]
    shown = ["0.00", "0.88", "0.89", "0.89", "0.90", "0.94", "0.94", "0.95", "1.00"]
    assert page.evaluate(script, values) == shown
