"""The documentation as a site: python tests/site_build.py build/site.

The pages keep the places that they have in the project, so that each link leads to the same page on
the site as it does beside the code. The navigation is docs/index.md: its headings and the pages
that it names, each folder with the pages of its own README.md.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
# Beside docs/: pages and programs that the pages lead to.
_PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
PROGRAMS = ("examples", "benchmarks", "notebooks")
_LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+\.md)\)")
# A link that names its file, as one reads pages beside the code.
_NAMED = re.compile(r"\[`?([^\]`\s]+\.md)`?\]\(([^)#\s]+\.md)(#[^)\s]*)?\)")
_TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_SECONDS = 300


def navigation(root: Path) -> list[dict[str, list[str]]]:
    """Return headings with the paths of their pages below `root`, as docs/index.md names them."""
    index = (root / "docs/index.md").read_text(encoding="utf-8")
    _, *parts = _HEADING.split(index)
    found = [{"Start": ["README.md", "docs/index.md"]}]
    for heading, text in zip(parts[::2], parts[1::2], strict=True):
        pages: dict[str, None] = {}
        for target in _LINK.findall(text):
            path = (root / "docs" / target).resolve().relative_to(root.resolve())
            pages |= dict.fromkeys((path.as_posix(), *_beside(root / path, root)))
        pages.pop("README.md", None)
        found.append({heading: list(pages)})
    return found


def _beside(page: Path, root: Path) -> list[str]:
    """Return the pages that the README.md of a folder of docs/ leads to; of other pages, none."""
    if page.name != "README.md" or page.parent == root:
        return []
    links = _LINK.findall(page.read_text(encoding="utf-8"))
    named = [(page.parent / link).resolve() for link in links]
    return [
        path.relative_to(root.resolve()).as_posix()
        for path in named
        if path.parent == page.parent.resolve()
    ]


def with_titles(text: str, folder: Path) -> str:
    """Return a page's text with links that call a page by its file calling it by its title.

    Args:
        text: Of a page in `folder`.
        folder: From which its links lead.
    """

    def titled(link: re.Match[str]) -> str:
        page = folder / link[2]
        is_called_by_file = Path(link[1]).name == page.name != "README.md"
        if not (is_called_by_file and page.is_file()):
            return link[0]
        title = _TITLE.search(page.read_text(encoding="utf-8"))
        return f"[{title[1]}]({link[2]}{link[3] or ''})" if title else link[0]

    return _NAMED.sub(titled, text)


def build_site(out: Path, *, root: Path = ROOT) -> str:
    """Write the site, whole or not at all.

    Args:
        out: The folder of the site; an earlier one is replaced.
        root: The project.

    Returns:
        What the builder says.

    Raises:
        RuntimeError: If a page has a fault, such as a link that leads nowhere; with all of them.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix="site-") as name:
        folder = Path(name)
        source = folder / "source"
        shutil.copytree(root / "docs", source / "docs", ignore=shutil.ignore_patterns("*.toml"))
        for page in _PAGES:
            shutil.copy(root / page, source / page)
        texts = {
            path: with_titles(path.read_text("utf-8"), path.parent) for path in source.rglob("*.md")
        }
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
        for program in PROGRAMS:
            leave = shutil.ignore_patterns("__pycache__", "*.md")
            shutil.copytree(root / program, source / program, ignore=leave)
        settings = tomllib.loads((root / "docs/site/site.toml").read_text(encoding="utf-8"))
        settings["project"] |= {"docs_dir": "source", "site_dir": "site", "nav": navigation(root)}
        (folder / "zensical.toml").write_text(_toml(settings), encoding="utf-8")
        command = [sys.executable, "-m", "zensical", "build", "--strict"]
        ended = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        words = re.sub(r"\x1b\[[0-9;]*m", "", ended.stdout + ended.stderr)
        if ended.returncode or "arning" in words:
            raise RuntimeError(f"The site has faults:\n{words}")
        shutil.rmtree(out, ignore_errors=True)
        shutil.move(folder / "site", out)
    return words


def _toml(settings: dict[str, Any]) -> str:
    """Return settings as TOML: every table in one line, behind its key."""
    return "\n".join(f"{key} = {_value(value)}" for key, value in settings.items()) + "\n"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        inside = (f"{_text(key)} = {_value(each)}" for key, each in value.items())
        return "{ " + ", ".join(inside) + " }"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return _text(str(value))


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Say where the site is to be: python tests/site_build.py build/site")
    build_site(Path(sys.argv[1]))
    print(f"site {Path(sys.argv[1]) / 'index.html'}")  # noqa: T201
