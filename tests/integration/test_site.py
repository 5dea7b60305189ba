"""The documentation as a site: built without a warning, whole, and readable from a stick."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

import site_build

_ROOT = Path(__file__).parents[2]
_FETCHED = re.compile(r"<(?:script|link|img|iframe|source)\b[^>]*?(?:src|href)=\"?(https?:)?//")
_PAGES = sorted(
    path.relative_to(_ROOT).as_posix()
    for path in (
        *(_ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
        *(_ROOT / "docs").rglob("*.md"),
    )
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if importlib.util.find_spec("zensical") is None:
        pytest.skip("no zensical: pip install 'finding-nemo[dev]'")
    out = tmp_path_factory.mktemp("site") / "site"
    said = site_build.build_site(out)
    assert "arning" not in said
    return out


def _page(site: Path, page: str) -> Path:
    path = site / page
    return path.with_name("index.html" if path.name == "README.md" else f"{path.stem}.html")


def test_navigation__leads_to_every_page_once() -> None:
    named = [
        page for part in site_build.navigation(_ROOT) for pages in part.values() for page in pages
    ]
    assert sorted(named) == _PAGES


def test_site__holds_every_page_and_fetches_nothing(site: Path) -> None:
    assert [page for page in _PAGES if not _page(site, page).is_file()] == []
    pages = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    assert len(pages) >= len(_PAGES)
    assert [path.name for path, text in pages.items() if _FETCHED.search(text)] == []
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert not re.search(r"url\(\"?(https?:)?//", styles)


def test_links__call_a_page_by_its_title(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/scale.md").write_text("Ten\n\n# Ten million frames\n\n# Two\n")
    (tmp_path / "README.md").write_text("# Finding Nemo\n")
    text = (
        "See [docs/scale.md](docs/scale.md#how), [scale.md](docs/scale.md), [how](docs/scale.md), "
        "[README.md](README.md) and [gone.md](gone.md)."
    )
    assert site_build.with_titles(text, tmp_path) == (
        "See [Ten million frames](docs/scale.md#how), [Ten million frames](docs/scale.md), "
        "[how](docs/scale.md), [README.md](README.md) and [gone.md](gone.md)."
    )


def test_a_fault__ends_the_build_with_its_place(tmp_path: Path, site: Path) -> None:
    root = tmp_path / "project"
    (root / "docs/site").mkdir(parents=True)
    for name in ("site.toml", "iframe-worker.js"):
        (root / "docs/site" / name).write_text(
            (_ROOT / "docs/site" / name).read_text(encoding="utf-8"), encoding="utf-8"
        )
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/index.md"):
        (root / name).write_text("# A page\n", encoding="utf-8")
    for name in site_build.PROGRAMS:
        (root / name).mkdir()
    (root / "docs/index.md").write_text(
        "# All\n\n## Part\n\n[other](other.md) [no heading](../README.md#nowhere)\n",
        encoding="utf-8",
    )
    (root / "docs" / "other.md").write_text("# Other\n\n[gone](gone.md)\n", encoding="utf-8")
    out = tmp_path / "site"
    with pytest.raises(RuntimeError, match="faults") as told:
        site_build.build_site(out, root=root)
    assert "other.md:3" in str(told.value)
    assert "anchor does not exist" in str(told.value)
    assert list(tmp_path.iterdir()) == [root]


@pytest.mark.parametrize("width", [390, 1280])
def test_pages__of_a_stick_fit_the_window_and_are_searched(
    site: Path, browser: Any, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    for name in ("index.html", "docs/recipes.html", "docs/api.html", "docs/convert.html"):
        page.goto((site / name).as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    page.goto((site / "docs/glossary.html").as_uri())
    page.wait_for_load_state("networkidle")
    page.keyboard.press("/")
    box = page.get_by_placeholder("Search").first
    box.press_sequentially("calibration", delay=20)
    page.get_by_text(re.compile(r"^\d+ results?")).first.wait_for()
    assert box.input_value() == "calibration"
    assert faults == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    page.close()
