"""The libraries of an optional extra, as a command that installs them anywhere."""

from __future__ import annotations

import re
from importlib import metadata

_NAME = "finding-nemo"
_REQUIREMENT = re.compile(
    r"""(?P<library>[^;]*[^;\s])\s*;.*\bextra\s*==\s*["'](?P<extra>[\w-]+)["']"""
)
_OWN = re.compile(rf"{_NAME}\[(?P<extras>[\w,\s-]+)\]", re.IGNORECASE)


def install_hint(extra: str) -> str:
    """Return a sentence with the command that installs what `extra` brings.

    It names the libraries themselves, as the installed package lists them: that works from an
    index, and whether or not the folder of the project is still there.

    Example:
        >>> install_hint("video")  # doctest: +SKIP
        "Install it with: pip install 'av>=14'."
    """
    libraries = _libraries(extra, _requirements())
    if not libraries:  # run from its source, never installed
        return f"Install it in the project's folder with: pip install '.[{extra}]'."
    return f"Install it with: pip install {' '.join(_quoted(name) for name in libraries)}."


def _requirements() -> list[str]:
    try:
        return metadata.requires(_NAME) or []
    except metadata.PackageNotFoundError:
        return []


def _libraries(extra: str, requirements: list[str]) -> list[str]:
    """Return the requirements of an extra, those of the extras that it names included."""
    found: dict[str, None] = {}
    for text in requirements:
        match = _REQUIREMENT.fullmatch(text.strip())
        if match is None or match["extra"] != extra:
            continue
        own = _OWN.fullmatch(match["library"])
        names = [match["library"]]
        if own is not None:
            others = [name.strip() for name in own["extras"].split(",")]
            names = [library for name in others for library in _libraries(name, requirements)]
        found.update(dict.fromkeys(names))
    return list(found)


def _quoted(library: str) -> str:
    """Quote what a shell would read as a redirection or a pattern."""
    return library if re.fullmatch(r"[\w.-]+", library) else f"'{library}'"
