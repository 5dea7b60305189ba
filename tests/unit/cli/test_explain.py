"""`explain`: words and a picture; failures in one line; wrong names refused."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from typer.testing import CliRunner

from finding_nemo.cli.app import app


def explain(*words: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["explain", *map(str, words)])
    return result.exit_code, result.output + str(result.exception or "")


def test_explain__says_the_way_and_draws(
    bundle_with_maps: Path, small_bundle: Path, many_frames: Path, tmp_path: Path
) -> None:
    broken, out = tmp_path / "broken.png", tmp_path / "why.png"
    broken.write_bytes(b"")
    frame = many_frames / "dive0/001.png"
    code, said = explain(bundle_with_maps, frame, broken, "--out", out, "--guesses", "2")
    assert code == 0, said
    lines = said.splitlines()
    assert lines[0].startswith("maps: Exact: the network itself")
    assert sum(" % of the width from the left, " in line for line in lines) == 2
    assert [line for line in lines if line.startswith(f"{broken}: ")]
    with Image.open(out) as picture:
        assert picture.width > 1000
    code, said = explain(small_bundle, frame, "--out", out)
    assert code != 0
    assert "--overwrite" in said
    code, said = explain(small_bundle, frame, "--out", out, "--overwrite", "--category", "Animal 3")
    assert code == 0, said
    assert "maps: By covering parts" in said
    assert "all: animal 3" in said


def test_explain__refuses_what_cannot_be_shown(
    small_bundle: Path, many_frames: Path, tmp_path: Path
) -> None:
    broken, out = tmp_path / "broken.png", tmp_path / "why.png"
    broken.write_bytes(b"")
    code, said = explain(small_bundle, broken, "--out", out)
    assert code == 1
    assert "No image could be used" in said
    assert not out.exists()
    code, said = explain(small_bundle, broken, "--out", out, "--category", "kraken")
    assert code != 0
    assert "knows no category 'kraken'" in said
    code, said = explain(small_bundle, broken, "--out", tmp_path / "why.csv")
    assert code == 2
    assert "is no .csv file" in said
    code, said = explain(small_bundle, many_frames, "--out", out)
    assert code == 2
    assert "at most 12 images" in " ".join(said.split())
