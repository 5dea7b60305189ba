"""What an extra of the project brings, read from what is installed here."""

from __future__ import annotations

import tomllib
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_ROOT = Path(__file__).parents[1]
CORE = "core"


def requirements_of_extras() -> dict[str, list[str]]:
    """Return the requirements in pyproject.toml: those of the core first, then of each extra."""
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {CORE: project["dependencies"], **project["optional-dependencies"]}


def installed_libraries(extra: str = CORE) -> dict[str, Distribution | None]:
    """Return the libraries that an extra installs, with all that they need in turn.

    Args:
        extra: An extra, or `CORE` for an installation without any.

    Returns:
        Each library by its normalised name, in order; `None` where it is not installed here. The
        project itself is not among them; an extra of ours inside another one is opened.
    """
    extras = requirements_of_extras()
    waiting = [Requirement(text) for text in extras[extra]]
    found: dict[str, Distribution | None] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        key = (name, frozenset(requirement.extras))
        if key in seen:
            continue
        seen.add(key)
        if name == "finding-nemo":
            waiting += [Requirement(text) for one in requirement.extras for text in extras[one]]
            continue
        found[name] = _installed(requirement.name)
        waiting += _needs(found[name], requirement.extras)
    return dict(sorted(found.items()))


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def _needs(library: Distribution | None, extras: set[str]) -> list[Requirement]:
    """Return what a library needs on this machine, with some of its extras."""
    texts = (library.requires or []) if library is not None else []
    needs = []
    for requirement in map(Requirement, texts):
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": one}) for one in ("", *extras)):
            needs.append(requirement)
    return needs
