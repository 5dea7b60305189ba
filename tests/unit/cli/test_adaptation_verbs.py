"""The verbs of adaptation, from the command line."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner, Result

from finding_nemo.cli.main import app


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], terminal_width=200)


def test_suggest_and_adapt__go_hand_in_hand(reviewable: Path, tmp_path: Path) -> None:
    predictions, following = reviewable / "fold0.parquet", tmp_path / "next.csv"
    found = run("suggest", predictions, "--per-dive", 2, "--out", following)
    assert found.exit_code == 0, found.output
    assert "2 dives, nobody has looked at a frame yet" in found.output
    asked = [line.split(",")[0] for line in following.read_text().splitlines()[1:]]
    assert len(asked) == 4
    reviews = tmp_path / "reviews.csv"
    reviews.write_text("id,categories\n" + "".join(f"{name},crab\n" for name in asked))
    again = run("suggest", predictions, "--budget", 3, "--reviews", reviews, "--out", following)
    assert again.exit_code != 0  # it is there already
    again = run(
        *("suggest", predictions, "--budget", 3, "--reviews", reviews, "--out", following),
        "--overwrite",
    )
    assert "4 frames looked at, in 2 of 2 dives" in again.output
    assert "to reach 0.90:" in again.output
    out = tmp_path / "adapted.parquet"
    done = run("adapt", predictions, "--reviews", reviews, "--out", out)
    assert done.exit_code == 0, done.output
    assert "4 frames looked at name 43 others in 2 of 2 dives" in done.output
    assert out.exists()


def test_suggest__needs_one_way_to_count(reviewable: Path, tmp_path: Path) -> None:
    found = run("suggest", reviewable / "fold0.parquet", "--out", tmp_path / "n.csv")
    assert found.exit_code == 2
    assert "either --per-dive or --budget" in " ".join(found.output.split())


def test_curve__of_predictions_is_figure_and_table(reviewable: Path, tmp_path: Path) -> None:
    out = tmp_path / "curve"
    files = [word for n in (0, 1) for word in ("--predictions", reviewable / f"fold{n}.parquet")]
    found = run("adaptation-curve", reviewable / "truth.csv", *files, "--out", out)
    assert found.exit_code == 0, found.output
    assert "suggested frames" in found.output
    assert {"curve.png", "curve.csv", "table.md", "differences.json"} <= {
        path.name for path in out.iterdir()
    }
    assert "| suggested frames |" in (out / "table.md").read_text()
