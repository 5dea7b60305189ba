"""The lowest versions that pyproject.toml allows, as a constraints file for pip.

`make test-lowest` installs exactly these in a virtual environment of its own and runs the unit
tests there, so that no bound claims what nobody tried.
"""

from __future__ import annotations

import argparse
import re
import tomllib
from pathlib import Path
from typing import Any

# A name, perhaps extras, and one lower bound: an upper bound or a pin would hold back everyone
# who installs this beside something else.
_LOWER_BOUND = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?>=([0-9][0-9.]*)")


def lowest_versions(pyproject: dict[str, Any]) -> dict[str, str]:
    """Return the lower bound of each library, those of every extra and of the build included.

    Args:
        pyproject: What pyproject.toml holds.

    Raises:
        ValueError: If a requirement is no name with one lower bound, or has two.
    """
    project = pyproject["project"]
    extras = project["optional-dependencies"]
    lists = [pyproject["build-system"]["requires"], project["dependencies"], *extras.values()]
    versions: dict[str, str] = {}
    for requirement in (text for texts in lists for text in texts):
        if requirement.startswith(f"{project['name']}["):
            continue
        match = _LOWER_BOUND.fullmatch(requirement)
        if match is None:
            raise ValueError(f"{requirement!r} is not of the form 'name>=version'.")
        name, version = match.groups()
        if versions.setdefault(name, version) != version:
            raise ValueError(f"{name} has two bounds: {versions[name]} and {version}.")
    return versions


def main() -> None:
    """Write the constraints file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pyproject", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    versions = lowest_versions(tomllib.loads(arguments.pyproject.read_text(encoding="utf-8")))
    lines = [f"{name}=={version}\n" for name, version in sorted(versions.items())]
    arguments.out.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
