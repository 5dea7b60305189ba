"""Novelty tested: categories held out with their dives, and frames from elsewhere."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from finding_nemo.core.errors import PredictionsError, StoppedError
from finding_nemo.core.files.atomic_files import prepare_output_folder, write_text
from finding_nemo.core.records import Dataset
from finding_nemo.core.reporter import Reporter
from finding_nemo.core.text.cells import defused
from finding_nemo.core.text.plurals import in_number
from finding_nemo.data.splits.category_holdouts import Holdout
from finding_nemo.data.splits.split_csv import write_split
from finding_nemo.data.splits.splitters.by_category import split_by_novelty
from finding_nemo.evaluation.evaluate_predictions import evaluate
from finding_nemo.evaluation.uncertainty_results import ScorerResult
from finding_nemo.metrics.roc_auc import roc_auc
from finding_nemo.models.bundle.bundle import Bundle
from finding_nemo.prediction.run.predict_to_file import predict_to_file
from finding_nemo.prediction.sources.image_sources import collect_images
from finding_nemo.reporting.html.evaluation_page import write_evaluation_page
from finding_nemo.results.reading.readers import read_predictions
from finding_nemo.results.schema import PredictionTable
from finding_nemo.synthetic.ood_frames import draw_far_frames
from finding_nemo.workflows.predict_test_split import predict_test_part
from finding_nemo.workflows.train_with_curves import run_training

_FAR_WIDTH_PX, _FAR_HEIGHT_PX = 640, 360


@dataclass(frozen=True)
class HoldoutRow:
    """One hold-out: how every score did.

    Attributes:
        holdout: What was held out.
        n_novel: Judged images that hold a category which training never saw.
        scorers: Every score, and the floors.
        competition_score: (MAP@20 + 2 x AUC - 1) / 2.
        far_auc: AUC of drawn frames of elsewhere against the judged frames, by score.
    """

    holdout: Holdout
    n_novel: int
    scorers: tuple[ScorerResult, ...]
    competition_score: float
    far_auc: Mapping[str, float]


def run_novelty_benchmark(  # noqa: PLR0913 - each is one option of the command
    dataset: Dataset,
    *,
    out: Path,
    holdouts: Sequence[Holdout],
    recipe: str,
    settings: Mapping[str, Any] | None = None,
    n_far: int = 200,
    seed: int = 0,
    overwrite: bool = False,
    reporter: Reporter,
) -> tuple[HoldoutRow, ...]:
    """Train without each hold-out, and see which score finds it on dives that training never saw.

    `out` gets `novelty.csv`, `novelty.json`, and for each hold-out its split, run and report.

    Args:
        dataset: The data set.
        out: The folder to make.
        holdouts: From `choose_holdouts`.
        recipe: A name of `RECIPES`.
        settings: Changes to the recipe's settings.
        n_far: How many frames of elsewhere to draw, as bright as the judged ones.
        seed: Of splits, trainings and drawings.
        overwrite: Whether an earlier test in `out` may be replaced.
        reporter: Told what happens.

    Raises:
        OutputExistsError: If `out` is occupied and may not be replaced.
        StoppedError: If Ctrl-C stopped it.
    """
    prepare_output_folder(out, overwrite=overwrite)
    rows: list[HoldoutRow] = []
    try:
        for holdout in holdouts:
            reporter.message(
                f"--- without {holdout.name}: "
                f"{in_number(holdout.n_images, 'frame')} of "
                f"{in_number(holdout.n_dives, 'dive')}"
            )
            folder = out / holdout.slug
            folder.mkdir()
            bundle, row = _held_out(
                dataset, holdout, folder, recipe, settings or {}, seed, reporter
            )
            table = read_predictions(folder / "predictions.parquet")
            row_far = _far(bundle, table, folder, n_far, seed) if n_far else {}
            rows.append(
                HoldoutRow(holdout, row.n_novel, row.scorers, row.competition_score, row_far)
            )
            _write(out, rows)
    except (KeyboardInterrupt, StoppedError):
        raise StoppedError(
            f"Stopped by Ctrl-C, {len(rows)} of {len(holdouts)} hold-outs done; what was found is "
            f"in {out}. Add --overwrite to begin anew, or --holdouts for fewer."
        ) from None
    return tuple(rows)


def _held_out(
    dataset: Dataset,
    holdout: Holdout,
    folder: Path,
    recipe: str,
    settings: Mapping[str, Any],
    seed: int,
    reporter: Reporter,
) -> tuple[Bundle, HoldoutRow]:
    split = split_by_novelty(dataset, categories=holdout.category_ids, seed=seed)
    write_split(split, folder / "split.csv")
    run = run_training(
        dataset,
        out=folder / "run",
        recipe=recipe,
        split=split,
        settings=settings,
        seed=seed,
        reporter=reporter,
    )
    table = predict_test_part(run.bundle, dataset, split, folder)
    found = evaluate(table, dataset, split=split, part="test")
    write_text(folder / "evaluation.json", found.to_json())
    write_evaluation_page(found, dataset.categories, folder / "report.html")
    if found.novelty is None or found.uncertainty is None:
        raise PredictionsError(f"No judged frame holds {holdout.name}, or all do.")
    novelty = found.novelty
    return run.bundle, HoldoutRow(
        holdout, novelty.n_novel, found.uncertainty.scorers, novelty.competition_score, {}
    )


def _far(
    bundle: Bundle, evaluation_set: PredictionTable, folder: Path, n_far: int, seed: int
) -> dict[str, float]:
    """Draw frames of elsewhere as bright as the judged ones, and see which score tells them."""
    if evaluation_set.assessment is None:
        return {}
    known = evaluation_set.assessment.brightness[~np.isnan(evaluation_set.assessment.brightness)]
    wanted = np.random.default_rng(seed).choice(known, n_far)
    frames = draw_far_frames(
        wanted.tolist(), width_px=_FAR_WIDTH_PX, height_px=_FAR_HEIGHT_PX, seed=seed
    )
    (folder / "far").mkdir()
    for number, pixels in enumerate(frames):
        Image.fromarray(pixels).save(folder / "far" / f"far{number:04d}.png")
    predict_to_file(bundle, collect_images([str(folder / "far")]), folder / "far.parquet")
    far = read_predictions(folder / "far.parquet").assessment
    if far is None:
        return {}
    usable = ~np.isnan(evaluation_set.assessment.scores).any(axis=1)
    novel = np.arange(n_far + int(usable.sum())) < n_far
    both = np.concatenate([far.scores, evaluation_set.assessment.scores[usable]])
    aucs = {name: roc_auc(novel, both[:, c]) for c, name in enumerate(far.score_names)}
    light = np.concatenate([far.brightness, evaluation_set.assessment.brightness[usable]])
    auc = roc_auc(novel, light)
    return {**aucs, "mean brightness alone": max(auc, 1 - auc)}


def mean_by_score(rows: Sequence[HoldoutRow]) -> list[tuple[str, str, float, float, float]]:
    """Return name, kind, mean AUC, mean FPR at 95 % TPR and mean far AUC of each score.

    A floor that some hold-out lacks (a constant) counts 0.5 there: it tells nothing.
    """
    kinds = {scorer.name: scorer.kind for row in rows for scorer in row.scorers}
    table = []
    for name, kind in kinds.items():
        found = [next((s for s in row.scorers if s.name == name), None) for row in rows]
        auc = float(np.mean([0.5 if s is None else s.auc for s in found]))
        fpr = float(np.mean([0.95 if s is None else s.fpr_at_95 for s in found]))
        far = [row.far_auc[name] for row in rows if name in row.far_auc]
        table.append((name, kind, auc, fpr, float(np.mean(far)) if far else float("nan")))
    return table


def _write(out: Path, rows: Sequence[HoldoutRow]) -> None:
    content = [asdict(row) for row in rows]
    write_text(out / "novelty.json", json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("held_out", "n_novel", "score", "kind", "auc", "fpr_at_95", "far_auc"))
    for row in rows:
        held_out = defused(row.holdout.name)
        for s in row.scorers:
            far = row.far_auc.get(s.name, "")
            writer.writerow((held_out, row.n_novel, s.name, s.kind, s.auc, s.fpr_at_95, far))
    write_text(out / "novelty.csv", text.getvalue())
