"""`inspect` says what goes on by its name while it works, and not that it is "at work"."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from finding_nemo.cli.app import app
from finding_nemo.cli.console import notices
from finding_nemo.core.reporter import Reporter


class Recorded(Reporter):
    """Keeps what goes on, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.activities: list[str] = []

    def activity(self, what: str) -> None:
        self.activities.append(what)


def test_inspect__names_what_it_does(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Recorded()
    monkeypatch.setattr(notices, "reporter", lambda: told)
    out = tmp_path / "inspect.html"
    done = CliRunner().invoke(app, ["inspect", str(tiny_folder), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert out.exists()
    assert told.activities == [
        "comparing dives, times and labels of the frames",
        "drawing the report",
    ]
