"""The tables of docs/formats.md, from the columns of the formats: python tests/formats_page.py."""

from __future__ import annotations

import re
from pathlib import Path

from finding_nemo.validating.format_columns import FormatColumn
from finding_nemo.validating.recognize_format import FILE_FORMATS

PAGE = Path(__file__).resolve().parents[1] / "docs/formats.md"
_TABLE = re.compile(r"(<!-- columns of (\w+) -->\n\n)(?:\|[^\n]*\n)*")


def formats_page(text: str) -> str:
    """Return the page with the tables of its formats as the code has them."""
    return _TABLE.sub(lambda found: found[1] + _table(FILE_FORMATS[found[2]].columns), text)


def _table(columns: tuple[FormatColumn, ...]) -> str:
    lines = ["| column | type | values | needed | since | meaning |", "|---|---|---|---|---|---|"]
    for each in columns:
        needed = "yes" if each.needed else ""
        values = each.range_in_words or "any"
        cells = (f"`{each.name}`", each.type, values, needed, each.since, each.meaning)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(formats_page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
