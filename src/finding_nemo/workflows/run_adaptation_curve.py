"""From a data set to the curve of reviews: folds trained and predicted, then reviews simulated."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from finding_nemo.adaptation.adaptation_settings import AdaptationSettings
from finding_nemo.adaptation.curve_of_reviews import (
    ReviewCurve,
    review_curve,
    settings_by_fold,
)
from finding_nemo.adaptation.files.true_dives import true_dives
from finding_nemo.adaptation.simulate_reviews import MIN_FRAMES, STEPS, TrueDive
from finding_nemo.adaptation.tune_adaptation import tune_on
from finding_nemo.core.errors import DatasetError, PredictionsError
from finding_nemo.core.files.atomic_files import prepare_output_folder, write_text
from finding_nemo.core.files.table_files import TableWriter
from finding_nemo.core.records import Dataset
from finding_nemo.core.reporter import Reporter
from finding_nemo.data.splits.make_split import make_split
from finding_nemo.data.splits.split_csv import read_split
from finding_nemo.prediction.run.predict_to_file import predict_to_file
from finding_nemo.prediction.sources.image_sources import input_of_record
from finding_nemo.reporting.figures.review_curve_figure import curve_rows, draw_review_curve


def run_adaptation_curve(  # noqa: PLR0913 - each is one option of the command
    dataset: Dataset,
    out: Path,
    *,
    predictions: Sequence[Path] = (),
    recipe: str = "probe",
    folds: int = 4,
    settings: Mapping[str, Any] | None = None,
    draws: int = 0,
    seed: int = 0,
    overwrite: bool = False,
    reporter: Reporter,
) -> ReviewCurve:
    """Write `curve.png`, `table.md`, `curve.csv` and `differences.json` into a new folder.

    Args:
        dataset: With labels and dives.
        out: The folder to make.
        predictions: Of unseen dives, one file a fold; without, each fold is trained and predicted.
        recipe: What to train.
        folds: How many, by dive.
        settings: Changes to the recipe's.
        draws: Covariances to try on the dives of the other folds; 0 takes the shipped one.
            Calibration and quality are always fitted on the other folds.
        seed: Of every split, training and draw.
        overwrite: Whether an earlier folder of this program may be replaced.
        reporter: Told what happens, and progress.

    Raises:
        DatasetError: If no dive has 20 frames, or fewer than two have.
        PredictionsError: If predictions cannot be used, or hold no embeddings.
        OutputError: If `out` cannot be written.
    """
    _check_dives(dataset)
    prepare_output_folder(out, overwrite=overwrite)
    files = list(predictions)
    if not files:
        split = make_split(dataset, "dive", folds=folds, seed=seed)
        wanted = {"recipe": recipe, "settings": settings, "seed": seed, "split": split}
        files = _predicted_folds(dataset, out / "runs", wanted, folds=folds, reporter=reporter)
    dives = true_dives(dataset, files)
    _check(dives, dataset)

    def tune(part: Sequence[TrueDive]) -> AdaptationSettings:
        return tune_on(part, draws=draws, seed=seed, reporter=reporter)

    reporter.step(f"simulating reviews of {len(dives)} dives")
    # Thousands of small products: on a busy machine threads that wait for each other took 15 times
    # as long as one.
    with threadpool_limits(1, user_api="blas"):
        curve = review_curve(dives, settings_by_fold(dives, tune), seed=seed)
    _write(curve, out)
    return curve


def _check_dives(dataset: Dataset) -> None:
    """Check before any training that there are dives to review."""
    counts = Counter(record.dive for record in dataset.annotated if record.dive is not None)
    large = sum(count >= MIN_FRAMES for count in counts.values())
    if counts and large < 2:
        raise DatasetError(
            f"A curve needs two dives of at least {MIN_FRAMES} labelled frames; of the "
            f"{len(counts)} dives of {dataset.root} {large} have so many."
        )


def _check(dives: Sequence[TrueDive], dataset: Dataset) -> None:
    if len(dives) < 2:
        raise DatasetError(
            f"A curve needs two dives of at least 20 labelled frames, got {len(dives)} in "
            f"{dataset.root}: the settings for one come from the others."
        )
    if all(dive.dive.frames.features is None for dive in dives):
        raise PredictionsError("The predictions hold no embeddings. Predict with --embeddings.")


def _predicted_folds(
    dataset: Dataset, runs: Path, wanted: Mapping[str, Any], *, folds: int, reporter: Reporter
) -> list[Path]:
    """Train on all but each fold and predict that one; `wanted` is what each training is told."""
    # With predictions that are there already, a curve needs no torch.
    from finding_nemo.workflows.train_with_curves import run_training

    found = []
    for fold in range(folds):
        reporter.step(f"training {wanted['recipe']}, fold {fold + 1} of {folds}")
        folder = runs / f"fold{fold}"
        run = run_training(dataset, out=folder, fold=fold, reporter=reporter, **wanted)
        parts = read_split(folder / "split.csv")
        inputs = [input_of_record(dataset.by_id[image_id]) for image_id in parts.ids_in("test")]
        path = folder / "predictions.parquet"
        predict_to_file(run.bundle, inputs, path, with_embedding=True, overwrite=True)
        found.append(path)
    return found


def _write(curve: ReviewCurve, out: Path) -> None:
    draw_review_curve(curve, out / "curve.png")
    rows = curve_rows(curve)
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    note = (
        "MAP@20 / macro AP of the frames of unseen dives that nobody looked at. Dives have at "
        f"least 20 frames, and twice as many as were looked at ({', '.join(map(str, STEPS))})."
    )
    write_text(out / "table.md", "\n".join([*lines, "", note, ""]))
    text = io.StringIO(newline="")
    writer = TableWriter(text)
    writer.write(("way", "frames", "map_at_20", "macro_ap", "n_images", "n_dives"))
    for point in curve.points:
        counts = (len(point.ap), len(set(point.dives)))
        writer.write((point.way, point.n_reviewed, point.map_at_20, point.macro_ap, *counts))
    write_text(out / "curve.csv", text.getvalue())
    differences = {
        str(count): {
            "mean": found.mean,
            "low": found.interval.low,
            "high": found.interval.high,
        }
        for count, found in curve.against_time.items()
    }
    write_text(out / "differences.json", json.dumps({"against_time": differences}, indent=2) + "\n")
