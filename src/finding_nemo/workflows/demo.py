"""The whole way, from drawn frames to a report and a scored submission."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from finding_nemo.core.files import prepare_output_folder, write_text
from finding_nemo.core.records import Dataset, Split
from finding_nemo.core.telling import Tell
from finding_nemo.data.dataset import read_dataset
from finding_nemo.data.drawn.dataset import EVAL_TRUTH, draw_dataset
from finding_nemo.data.file_check import check_files
from finding_nemo.data.splits.by_dive import split_by_dive
from finding_nemo.data.splits.file import write_split
from finding_nemo.evaluation.evaluate import evaluate
from finding_nemo.evaluation.inspection import inspect_dataset
from finding_nemo.evaluation.results import Evaluation
from finding_nemo.evaluation.submission_score import SubmissionScore, score_submission
from finding_nemo.models.bundle import Bundle
from finding_nemo.prediction.inputs import collect_images
from finding_nemo.prediction.to_file import predict_to_file
from finding_nemo.reporting.evaluation_page import write_evaluation_page
from finding_nemo.reporting.frames_picture import draw_frames
from finding_nemo.reporting.inspect_page import write_inspect_page
from finding_nemo.results.predictions import read_predictions
from finding_nemo.results.submission import read_submission
from finding_nemo.workflows.training_run import run_training

_RECIPE = "probe"


@dataclass(frozen=True)
class Demo:
    """What the demo made.

    Attributes:
        outputs: From what it is to where it is.
        evaluation: On the test dives.
        score: Of the submission, by the competition's metric.
    """

    outputs: Mapping[str, Path]
    evaluation: Evaluation
    score: SubmissionScore


def run_demo(
    out: Path, *, images: int, seed: int, overwrite: bool, tell: Tell, show_progress: bool = False
) -> Demo:
    """Draw, inspect, split, train, predict, evaluate and submit.

    Args:
        out: The folder to make.
        images: About how many frames to draw.
        seed: Of the drawing, the split and the training.
        overwrite: Whether an earlier demo may be replaced.
        tell: Told each step and when it begins.
        show_progress: Whether progress bars are drawn.

    Raises:
        OutputExistsError: If `out` holds something and may not be replaced.
    """
    prepare_output_folder(out, overwrite=overwrite)
    step = _Steps(tell)
    workers = min(os.cpu_count() or 1, 8)
    step(f"drawing about {images:,} frames of 40 dives on {workers} processes")
    folder = draw_dataset(out / "dataset", images=images, seed=seed, workers=workers)
    step("inspecting them")
    dataset = read_dataset(folder)
    split = split_by_dive(dataset, seed=seed)
    write_split(split, out / "split.csv")
    _inspect(dataset, split, out / "inspect.html")
    step(f"splitting by dive, training {_RECIPE}")
    run = run_training(
        dataset,
        out=out / "run",
        recipe=_RECIPE,
        split=split,
        seed=seed,
        notify=tell,
        show_progress=show_progress,
    )
    step("predicting the test dives and judging them")
    found = _judge(run.bundle, dataset, split, out)
    step("predicting the evaluation frames, scoring the submission")
    score = _submit(run.bundle, folder, out / "submission.csv")
    step("done")
    return Demo(_outputs(out, folder, run.bundle), found, score)


def _outputs(out: Path, frames: Path, bundle: Bundle) -> dict[str, Path]:
    return {
        "frames": frames,
        "inspection": out / "inspect.html",
        "split": out / "split.csv",
        "bundle": bundle.path,
        "predictions": out / "predictions.parquet",
        "report": out / "report.html",
        "picture": out / "frames.png",
        "submission": out / "submission.csv",
    }


class _Steps:
    """Tell each step, and how long after the first it begins."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._started = time.perf_counter()

    def __call__(self, what: str) -> None:
        self._tell(f"[{time.perf_counter() - self._started:5.1f} s] {what}")


def _inspect(dataset: Dataset, split: Split, path: Path) -> None:
    found = inspect_dataset(dataset, split=split, check=check_files(dataset.records))
    write_inspect_page(found, path, name="the drawn data set")


def _judge(bundle: Bundle, dataset: Dataset, split: Split, out: Path) -> Evaluation:
    names = [str(dataset.root)]
    inputs = collect_images(names, split=out / "split.csv", part="test")
    predict_to_file(bundle, inputs, out / "predictions.parquet")
    table = read_predictions(out / "predictions.parquet")
    found = evaluate(table, dataset, split=split, part="test")
    write_text(out / "evaluation.json", found.to_json())
    write_evaluation_page(found, dataset.categories, out / "report.html")
    draw_frames(found, dataset.categories, out / "frames.png")
    return found


def _submit(bundle: Bundle, folder: Path, path: Path) -> SubmissionScore:
    inputs = collect_images([str(folder)], origin="eval")
    predict_to_file(bundle, inputs, path, file_format="submission")
    return score_submission(read_submission(path), read_submission(folder / EVAL_TRUTH))
