"""A table of taxa goes with answers by rank."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from finding_nemo.cli.app import app


def test_predict__refuses_a_table_of_taxa_without_ranks(tmp_path: Path) -> None:
    out = str(tmp_path / "p.parquet")
    answer = CliRunner().invoke(app, ["predict", "b", "f", "--out", out, "--taxa", "t.csv"])
    assert answer.exit_code == 2
    assert "--taxa goes with --ranks." in " ".join(answer.output.split())
