"""The libraries of an optional extra, as a command that installs them where this was installed."""

from __future__ import annotations

import json
import re
import shlex
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

_NAME = "finding-nemo"
_REQUIREMENT = re.compile(
    r"""(?P<library>[^;]*[^;\s])\s*;.*\bextra\s*==\s*["'](?P<extra>[\w-]+)["']"""
)
_OWN = re.compile(rf"{_NAME}\[(?P<extras>[\w,\s-]+)\]", re.IGNORECASE)


def install_hint(extra: str) -> str:
    """Return a sentence with the command that installs what `extra` brings.

    It fits how the package was installed: from an index by its name, from a folder (a clone) by
    the folder, in whichever folder the command is given. Where the folder is gone, or it came as
    a file, the libraries themselves are named, which works anywhere.

    Example:
        >>> install_hint("video")  # doctest: +SKIP
        "Install it with: pip install '/home/ann/finding-nemo[video]'."
    """
    found = list(metadata.distributions(name=_NAME))
    direct = next((text for each in found if (text := each.read_text("direct_url.json"))), None)
    if direct is not None:
        command = _by_origin(extra, _read(direct)) or _by_libraries(extra)
    elif any(each.read_text("INSTALLER") for each in found):
        command = f"pip install '{_NAME}[{extra}]'"
    else:  # run from its source, where a build may have left a record
        return f"Install it in the project's folder with: pip install '.[{extra}]'."
    return f"Install it with: {command}."


def _by_origin(extra: str, direct: dict[str, Any]) -> str | None:
    """Return the command for what was installed from a folder; `None` if that is not there.

    Args:
        extra: The extra.
        direct: What pip keeps of where a package came from, by PEP 610.
    """
    url, folder = direct.get("url"), direct.get("dir_info")
    if not isinstance(url, str) or not isinstance(folder, dict) or not url.startswith("file:"):
        return None
    path = Path(url2pathname(urlsplit(url).path))
    if not (path / "pyproject.toml").is_file():
        return None
    editable = "--editable " if folder.get("editable") is True else ""
    return f"pip install {editable}{shlex.quote(f'{path}[{extra}]')}"


def _read(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _by_libraries(extra: str) -> str:
    libraries = _libraries(extra, metadata.requires(_NAME) or [])
    return f"pip install {' '.join(_quoted(name) for name in libraries)}"


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
