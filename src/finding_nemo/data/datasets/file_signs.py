"""What tells forms of data sets apart that share a suffix: a file's first keys, or its columns."""

from __future__ import annotations

import re
from pathlib import Path

from finding_nemo.core.files.table_files import columns_in
from finding_nemo.core.files.text_files import read_head

# The keys that tell a form stand in front; of a file of 1 GB no more is looked at.
_HEAD_BYTES = 256 << 10
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"(\s*:)?|[{}\[\]]', re.DOTALL)


def signs_of(path: Path) -> frozenset[str]:
    """Return the keys of a JSON file's outermost object, or the columns of a table.

    Keys of the first object of a list begin with "*". Of a file that is long, only those are known
    that stand in its first part.

    Args:
        path: A .json file; any other is taken for a table.
    """
    head = read_head(path, _HEAD_BYTES).lstrip()
    return _keys(head) if path.suffix.lower() == ".json" else frozenset(columns_in(head))


def _keys(head: str) -> frozenset[str]:
    wanted, mark = (1, "") if head.startswith("{") else (2, "*")
    if not head.startswith(("{", "[")):
        return frozenset()
    found, depth = set(), 0
    for token in _TOKEN.finditer(head):
        text = token[0]
        if text in "{[":
            depth += 1
        elif text in "}]":
            depth -= 1
            if depth < wanted:
                break
        elif depth == wanted and token[2]:
            found.add(mark + token[1])
    return frozenset(found)
