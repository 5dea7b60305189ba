"""The whole way, from drawn frames to a report and a scored submission."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finding_nemo.core.errors import StoppedError
from finding_nemo.core.files.atomic_files import prepare_output_folder, write_text
from finding_nemo.core.processes.cores import usable_cores
from finding_nemo.core.records import Dataset, Split
from finding_nemo.core.reporter import Reporter
from finding_nemo.data.dataset import read_dataset
from finding_nemo.data.quality.file_check import check_files
from finding_nemo.data.splits.split_csv import write_split
from finding_nemo.data.splits.splitters.by_dive import split_by_dive
from finding_nemo.evaluation.dataset.inspect_dataset import inspect_dataset
from finding_nemo.evaluation.evaluate_answers import AnswerScore
from finding_nemo.evaluation.evaluate_predictions import evaluate
from finding_nemo.evaluation.evaluation_results import Evaluation
from finding_nemo.evaluation.submission_score import SubmissionScore, score_submission
from finding_nemo.models.bundle.bundle import Bundle
from finding_nemo.prediction.run.predict_to_file import predict_to_file
from finding_nemo.prediction.sources.image_sources import collect_images
from finding_nemo.reporting.dive.read_dive_frames import read_dive_frames
from finding_nemo.reporting.figures.frames_picture import draw_frames
from finding_nemo.reporting.html.dive_page import write_dive_page
from finding_nemo.reporting.html.evaluation_page import write_evaluation_page
from finding_nemo.reporting.html.inspect_page import write_inspect_page
from finding_nemo.results.reading.readers import read_predictions
from finding_nemo.results.submission import read_submission
from finding_nemo.synthetic.write_dataset import EVAL_TRUTH, draw_dataset
from finding_nemo.uncertainty.answers import SURE
from finding_nemo.workflows.train_with_curves import run_training

# The drawn animals are a few pixels wide, and `probe` is right about too few of them to name any.
# In so few steps an average over the last ten is enough; the recipe's own spans two hundred.
_RECIPE = "patches"
_SETTINGS: Mapping[str, Any] = {"epochs": 16, "ema_decay": 0.9, "width_px": 480, "height_px": 352}
# A category is named only where several validation dives show how often that is right; two dives,
# as a tenth of the frames gives, show it of none.
_VAL_FRACTION = 0.3
# Forty longer ones showed too few waters: a snipe eel of one water was a jelly in another, and 93 %
# of what was called sure on the test dives of three splits was right, 89 % on the worst.
_DIVES = 64
# Of fewer frames, no more dives than that.
_FRAMES_IN_DIVE, _FEWEST_DIVES = 20, 40
# Processes that draw; more take longer to begin than they save.
_MOST_DRAWING = 8


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


def run_demo(out: Path, *, images: int, seed: int, overwrite: bool, reporter: Reporter) -> Demo:
    """Draw, inspect, split, train, predict, evaluate and submit.

    Args:
        out: The folder to make.
        images: About how many frames to draw.
        seed: Of the drawing, the split and the training.
        overwrite: Whether an earlier demo may be replaced.
        reporter: Told each step and when it begins, and progress.

    Raises:
        OutputExistsError: If `out` holds something and may not be replaced.
        StoppedError: If Ctrl-C stopped it.
    """
    prepare_output_folder(out, overwrite=overwrite)
    try:
        return _carried_out(out, images, seed, reporter)
    except (KeyboardInterrupt, StoppedError):
        raise StoppedError(
            f"Stopped by Ctrl-C. {out} holds what was made so far; the same command with "
            "--overwrite begins anew."
        ) from None


def _carried_out(out: Path, images: int, seed: int, reporter: Reporter) -> Demo:
    workers = min(usable_cores(), _MOST_DRAWING)
    dives = min(_DIVES, max(_FEWEST_DIVES, images // _FRAMES_IN_DIVE))
    reporter.step(
        f"drawing about {images:,} frames of {dives} dives on {workers} processes: half of the time"
    )
    with reporter.progress("drawing frames", unit="frames") as progress:
        progress(0, images)
        folder = draw_dataset(
            out / "dataset",
            dives=dives,
            images=images,
            seed=seed,
            workers=workers,
            progress=progress,
        )
    reporter.step("inspecting them")
    dataset = read_dataset(folder)
    split = split_by_dive(dataset, val_fraction=_VAL_FRACTION, seed=seed)
    write_split(split, out / "split.csv")
    _inspect(dataset, split, out / "inspect.html", reporter)
    reporter.step(f"splitting by dive, training {_RECIPE}: a third of the time")
    run = run_training(
        dataset,
        out=out / "run",
        recipe=_RECIPE,
        split=split,
        settings=_SETTINGS,
        seed=seed,
        reporter=reporter,
    )
    reporter.step("predicting the test dives and judging them")
    found = _judge(run.bundle, dataset, split, out, reporter)
    reporter.step("predicting the evaluation frames, scoring the submission")
    score = _submit(run.bundle, folder, out / "submission.csv", reporter)
    reporter.step("writing the page of the test dives")
    page = _dive_page(out, reporter)
    reporter.step("done")
    return Demo({**_outputs(out, folder, run.bundle), "dives": page}, found, score)


def _outputs(out: Path, frames: Path, bundle: Bundle) -> dict[str, Path]:
    return {
        "frames": frames,
        "split": out / "split.csv",
        "bundle": bundle.path,
        "predictions": out / "predictions.parquet",
        "submission": out / "submission.csv",
        "inspection": out / "inspect.html",
        "picture": out / "frames.png",
        "report": out / "report.html",
    }


def _dive_page(out: Path, reporter: Reporter) -> Path:
    """Write the page of the test dives, for a reader who does not know the truth."""
    path = out / "dives.html"
    found = read_dive_frames(out / "predictions.parquet")
    write_dive_page(found, path, title="The demo's test dives", reporter=reporter)
    return path


def sure_in_words(answers: Sequence[AnswerScore]) -> str:
    """Return how many frames have a sure answer, and how many of these are right."""
    n_readable = sum(score.n_images for score in answers)
    sure = next((score for score in answers if score.word == SURE), None)
    if sure is None or not n_readable:
        return "no test frame could be read"
    named = f"{sure.n_images:,} of {n_readable:,} readable test frames have a sure answer"
    if not sure.n_images:
        return f"{named}: no name is right often enough"
    return (
        f"{named} (an animal or its group), and {sure.n_right:,} of these "
        f"({sure.share_right:.0%}) are right; for the rest it says what is likely, or a guess"
    )


def _inspect(dataset: Dataset, split: Split, path: Path, reporter: Reporter) -> None:
    with reporter.progress("opening images") as progress:
        check = check_files(dataset.records, progress=progress)
    reporter.activity("inspecting the frames")
    found = inspect_dataset(dataset, split=split, check=check)
    write_inspect_page(found, path, name="the drawn data set")


def _judge(
    bundle: Bundle, dataset: Dataset, split: Split, out: Path, reporter: Reporter
) -> Evaluation:
    names = [str(dataset.root)]
    inputs = collect_images(names, split=out / "split.csv", part="test")
    predict_to_file(bundle, inputs, out / "predictions.parquet", reporter=reporter)
    reporter.activity("judging the predictions")
    table = read_predictions(out / "predictions.parquet")
    found = evaluate(table, dataset, split=split, part="test")
    write_text(out / "evaluation.json", found.to_json())
    write_evaluation_page(found, dataset.categories, out / "report.html")
    draw_frames(found, dataset.categories, out / "frames.png")
    return found


def _submit(bundle: Bundle, folder: Path, path: Path, reporter: Reporter) -> SubmissionScore:
    inputs = collect_images([str(folder)], origin="eval")
    predict_to_file(bundle, inputs, path, file_format="submission", reporter=reporter)
    return score_submission(read_submission(path), read_submission(folder / EVAL_TRUTH))
