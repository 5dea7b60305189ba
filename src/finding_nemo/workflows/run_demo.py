"""The whole way, from drawn frames to a report and a scored submission."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from finding_nemo.core.errors import StoppedError
from finding_nemo.core.files.atomic_files import prepare_output_folder, write_text
from finding_nemo.core.records import Dataset, Split
from finding_nemo.core.reporter import Tell
from finding_nemo.data.dataset import read_dataset
from finding_nemo.data.quality.file_check import check_files
from finding_nemo.data.splits.by_dive import split_by_dive
from finding_nemo.data.splits.split_csv import write_split
from finding_nemo.evaluation.dataset.inspect_dataset import inspect_dataset
from finding_nemo.evaluation.evaluate_predictions import evaluate
from finding_nemo.evaluation.evaluation_results import Evaluation
from finding_nemo.evaluation.submission_score import SubmissionScore, score_submission
from finding_nemo.models.bundle.bundle import Bundle
from finding_nemo.prediction.predictor import Move
from finding_nemo.prediction.run.predict_to_file import predict_to_file
from finding_nemo.prediction.sources.image_sources import collect_images
from finding_nemo.reporting.figures.frames_picture import draw_frames
from finding_nemo.reporting.html.evaluation_page import write_evaluation_page
from finding_nemo.reporting.html.inspect_page import write_inspect_page
from finding_nemo.results.reading.readers import read_predictions
from finding_nemo.results.submission import read_submission
from finding_nemo.synthetic.write_dataset import EVAL_TRUTH, draw_dataset
from finding_nemo.training.loop.progress import image_ticks
from finding_nemo.workflows.steps import EVERY_S, Steps
from finding_nemo.workflows.train_with_curves import run_training

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
        StoppedError: If Ctrl-C stopped it.
    """
    prepare_output_folder(out, overwrite=overwrite)
    bars = show_progress and sys.stderr.isatty()
    with Steps(tell, every_s=0 if bars else EVERY_S) as steps:
        try:
            return _carried_out(out, images, seed, steps, bars=bars)
        except (KeyboardInterrupt, StoppedError):
            raise StoppedError(
                f"Stopped by Ctrl-C. {out} holds what was made so far; the same command with "
                "--overwrite begins anew."
            ) from None


def _carried_out(out: Path, images: int, seed: int, steps: Steps, *, bars: bool) -> Demo:
    workers = min(os.cpu_count() or 1, 8)
    steps.begin(f"drawing about {images:,} frames of 40 dives on {workers} processes")
    folder = _draw(out / "dataset", images, seed, workers, steps, bars=bars)
    steps.begin("inspecting them")
    dataset = read_dataset(folder)
    split = split_by_dive(dataset, seed=seed)
    write_split(split, out / "split.csv")
    _inspect(dataset, split, out / "inspect.html", steps, bars=bars)
    steps.begin(f"splitting by dive, training {_RECIPE}")
    run = run_training(
        dataset,
        out=out / "run",
        recipe=_RECIPE,
        split=split,
        seed=seed,
        notify=steps.say,
        show_progress=bars,
    )
    steps.begin("predicting the test dives and judging them")
    found = _judge(run.bundle, dataset, split, out, steps.move)
    steps.begin("predicting the evaluation frames, scoring the submission")
    score = _submit(run.bundle, folder, out / "submission.csv", steps.move)
    steps.begin("done")
    return Demo(_outputs(out, folder, run.bundle), found, score)


def _draw(out: Path, images: int, seed: int, workers: int, steps: Steps, *, bars: bool) -> Path:
    drawn = 0
    with image_ticks("drawing frames", shown=bars) as show:

        def tick(n_frames: int) -> None:
            nonlocal drawn
            drawn += n_frames
            steps.move(drawn, images)
            show(drawn, images)

        show(0, images)
        return draw_dataset(out, images=images, seed=seed, workers=workers, tick=tick)


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


def _inspect(dataset: Dataset, split: Split, path: Path, steps: Steps, *, bars: bool) -> None:
    opened, total = 0, len(dataset.records)
    with image_ticks("opening images", shown=bars) as show:

        def tick() -> None:
            nonlocal opened
            opened += 1
            steps.move(opened, total)
            show(opened, total)

        check = check_files(dataset.records, tick=tick)
    found = inspect_dataset(dataset, split=split, check=check)
    write_inspect_page(found, path, name="the drawn data set")


def _judge(bundle: Bundle, dataset: Dataset, split: Split, out: Path, move: Move) -> Evaluation:
    names = [str(dataset.root)]
    inputs = collect_images(names, split=out / "split.csv", part="test")
    predict_to_file(bundle, inputs, out / "predictions.parquet", move=move)
    table = read_predictions(out / "predictions.parquet")
    found = evaluate(table, dataset, split=split, part="test")
    write_text(out / "evaluation.json", found.to_json())
    write_evaluation_page(found, dataset.categories, out / "report.html")
    draw_frames(found, dataset.categories, out / "frames.png")
    return found


def _submit(bundle: Bundle, folder: Path, path: Path, move: Move) -> SubmissionScore:
    inputs = collect_images([str(folder)], origin="eval")
    predict_to_file(bundle, inputs, path, file_format="submission", move=move)
    return score_submission(read_submission(path), read_submission(folder / EVAL_TRUTH))
