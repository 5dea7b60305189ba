"""What WoRMS answered, kept on disk so that nothing is asked twice within a month."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from finding_nemo.core.errors import OutputError
from finding_nemo.core.files.atomic_files import write_text

_FILE = "worms.json"
_MAX_AGE = timedelta(days=30)
_MAX_BYTES = 64 << 20


def cache_path() -> Path | None:
    """Return where answers are kept: below XDG_CACHE_HOME, or ~/.cache without it.

    `None` for a user without a home, such as a container's.
    """
    try:
        root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:  # neither HOME nor an entry of the user
        return None
    return Path(root) / "finding-nemo" / _FILE


class WormsCache:
    """Answers by question; one that cannot be read or written is as good as none."""

    def __init__(self, path: Path | None, *, today: date | None = None) -> None:
        """Read what is there and not too old; without a path nothing outlives the program."""
        self._path = path
        self._today = today or datetime.now(UTC).date()
        self._answers = {key: value for key, value in self._read().items() if self._is_young(value)}

    def get(self, key: str) -> list[Any] | None:
        """Return the answer to a question, `None` if it was not asked."""
        found = self._answers.get(key)
        return None if found is None else list(found["records"])

    def put(self, answers: Mapping[str, list[Any]]) -> None:
        """Keep answers, at once."""
        day = self._today.isoformat()
        self._answers |= {key: {"day": day, "records": each} for key, each in answers.items()}
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_text(self._path, json.dumps(self._answers, ensure_ascii=False))
        except (OSError, OutputError):
            return  # asked again next time

    def _read(self) -> dict[str, Any]:
        if self._path is None:
            return {}
        try:
            if self._path.stat().st_size > _MAX_BYTES:
                return {}
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def _is_young(self, value: object) -> bool:
        if not isinstance(value, dict) or not isinstance(value.get("records"), list):
            return False
        try:
            day = date.fromisoformat(str(value.get("day")))
        except ValueError:
            return False
        return timedelta(0) <= self._today - day <= _MAX_AGE
