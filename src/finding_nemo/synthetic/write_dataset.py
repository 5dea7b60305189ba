"""A whole drawn data set in the competition's layout."""

from __future__ import annotations

import csv
import io
import json
import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from finding_nemo.core.files.atomic_files import (
    prepare_output_folder,
    raise_no_space,
    write_text,
)
from finding_nemo.core.records import Box
from finding_nemo.core.reporter import ProgressCallback, no_progress
from finding_nemo.core.text.wrong_argument import check_path
from finding_nemo.synthetic.frame import HEIGHT_PX, WIDTH_PX, draw_dive
from finding_nemo.synthetic.scene_plan import Dive, Stop, plan_dives
from finding_nemo.synthetic.species import drawn_categories

EVAL_TRUTH = "eval_truth.csv"
_JPEG_QUALITY = 92
# Some five seconds of work: progress is told after each. The bottom of a dive, which every piece
# makes anew, costs as much as two frames.
_FRAMES_IN_JOB = 32


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What the annotation files say of one drawn image."""

    image_id: str
    url: str
    taken: str
    boxes: tuple[Box, ...]

    @property
    def category_ids(self) -> list[int]:
        return sorted({box.category_id for box in self.boxes})


@dataclass(frozen=True, slots=True)
class _Job:
    """A dive or a piece of one, the number of its first frame, and where its frames go."""

    dive: Dive
    first: int
    folder: Path

    @property
    def n_frames(self) -> int:
        return sum(stop.n_frames for stop in self.dive.stops)


def draw_dataset(
    out: Path | str,
    *,
    dives: int = 40,
    images: int = 1400,
    seed: int = 0,
    workers: int = 1,
    overwrite: bool = False,
    progress: ProgressCallback = no_progress,
) -> Path:
    """Draw a data set: training frames above 800 m, evaluation frames also below.

    The same arguments give the same bytes, however many workers draw. Frames in which no animal
    can be made out are left away, so slightly fewer images are written than asked for.
    `eval_truth.csv` holds what a competitor would not see.

    Args:
        out: The folder to make.
        dives: How many, a quarter of them for evaluation.
        images: About how many frames.
        seed: Decides everything.
        workers: Processes that draw.
        overwrite: Whether an earlier drawn data set may be replaced.
        progress: Told after every 32 or so how many frames are drawn, of about how many.

    Returns:
        `out`.

    Raises:
        ArgumentError: If `out` is no path.
        OutputExistsError: If `out` holds something and may not be replaced.
        NoSpaceError: If the disk is full.

    Example:
        >>> folder = finding_nemo.draw_dataset("drawn", dives=12, images=200)  # doctest: +SKIP
        >>> dataset = finding_nemo.read_dataset(folder)  # doctest: +SKIP
    """
    check_path(out, "draw_dataset()", "the path of the folder to make")
    out = Path(out)
    prepare_output_folder(out, overwrite=overwrite)
    planned, held_out = plan_dives(n_dives=dives, n_images=images, seed=seed)
    for name in ("train", "eval"):
        (out / "images" / name).mkdir(parents=True)
    jobs = [
        job
        for position, dive in enumerate(planned)
        for job in _jobs_of(dive, out / "images" / ("eval" if position in held_out else "train"))
    ]
    with raise_no_space(out):
        n_drawn = 0

        def count(n_frames: int) -> None:
            nonlocal n_drawn
            n_drawn += n_frames
            progress(min(n_drawn, images), images)

        drawn = _draw_all(jobs, workers, count)
        _write_annotations(out, drawn, [job.folder.name for job in jobs])
    return out


def _jobs_of(dive: Dive, folder: Path) -> Iterator[_Job]:
    """Yield a dive in pieces of whole stops: a stop is drawn the same without those before it."""
    stops: list[Stop] = []
    first = n_frames = 0
    for stop in dive.stops:
        stops.append(stop)
        n_frames += stop.n_frames
        if n_frames >= _FRAMES_IN_JOB:
            yield _Job(replace(dive, stops=tuple(stops)), first, folder)
            stops, first, n_frames = [], first + n_frames, 0
    if stops:
        yield _Job(replace(dive, stops=tuple(stops)), first, folder)


def _draw_all(
    jobs: Sequence[_Job], workers: int, count: Callable[[int], None]
) -> list[list[_Drawn]]:
    if workers < 2:
        found = []
        for job in jobs:
            found.append(_draw_one(job))
            count(len(found[-1]))
        return found
    # A forked process would inherit the locks of whatever threads run; a fresh one has none.
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=fresh) as pool:
        # Long pieces first, so that no process is left alone with one at the end.
        order = sorted(range(len(jobs)), key=lambda position: -jobs[position].n_frames)
        before = set(multiprocessing.active_children())
        with _ctrl_c_waits():
            futures = {pool.submit(_draw_one, jobs[position]): position for position in order}
        try:
            for future in as_completed(futures):
                count(len(future.result()))
        except BaseException:
            for process in set(multiprocessing.active_children()) - before:
                process.terminate()  # a piece takes seconds
            pool.shutdown(cancel_futures=True)
            raise
        return [future.result() for future in sorted(futures, key=lambda f: futures[f])]


@contextmanager
def _ctrl_c_waits() -> Iterator[None]:
    """Block SIGINT: processes that are started meanwhile never see it, and this one does after.

    A terminal sends it to every process, and each would show a traceback; this one ends them.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _draw_one(job: _Job) -> list[_Drawn]:
    dive = job.dive
    found = []
    for number, frame in enumerate(draw_dive(dive), start=job.first):
        if not frame.boxes:
            continue
        image_id = f"{dive.vehicle.lower()}-{dive.number}-{number:04d}"
        frame.image.save(job.folder / f"{image_id}.jpg", quality=_JPEG_QUALITY)
        clock = frame.taken.strftime("%H_%M_%S")
        url = (
            f"https://drawn.example/framegrabs/{dive.vehicle}/images/{dive.number:04d}/{clock}.jpg"
        )
        found.append(_Drawn(image_id, url, frame.taken.isoformat(), frame.boxes))
    return found


def _write_annotations(out: Path, drawn: Sequence[list[_Drawn]], folders: Sequence[str]) -> None:
    def of(wanted: str) -> list[_Drawn]:
        pairs = zip(drawn, folders, strict=True)
        return [image for found, folder in pairs if folder == wanted for image in found]

    train, held_out = of("train"), of("eval")
    trained = {number for image in train for number in image.category_ids}
    categories = drawn_categories().categories
    write = partial(_write_csv, out)
    write(
        "category_key.csv",
        ("id", "name", "supercat"),
        ((c.category_id, c.name, c.supercategory) for c in categories),
    )
    write(
        "multilabel_classification/train.csv",
        ("id", "categories"),
        ((i.image_id, str([float(n) for n in i.category_ids])) for i in train),
    )
    write(
        EVAL_TRUTH,
        ("id", "categories", "osd"),
        (
            (
                i.image_id,
                " ".join(map(str, i.category_ids)),
                int(not set(i.category_ids) <= trained),
            )
            for i in held_out
        ),
    )
    write_text(out / "object_detection/train.json", json.dumps(_coco(train, annotated=True)))
    write_text(out / "object_detection/eval.json", json.dumps(_coco(held_out, annotated=False)))


def _write_csv(out: Path, name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_text(out / name, text.getvalue())


def _coco(images: Sequence[_Drawn], *, annotated: bool) -> dict[str, Any]:
    entries = [
        {
            "id": number,
            "file_name": f"{image.image_id}.jpg",
            "width": WIDTH_PX,
            "height": HEIGHT_PX,
            "date_captured": image.taken,
            "coco_url": image.url,
        }
        for number, image in enumerate(images, start=1)
    ]
    return {
        "info": {"description": "Frames drawn by Finding Nemo; no animal was ever filmed."},
        "images": entries,
        "annotations": list(_annotations(images)) if annotated else [],
        "categories": [
            {"id": c.category_id, "name": c.name, "supercategory": c.supercategory}
            for c in drawn_categories().categories
        ],
    }


def _annotations(images: Sequence[_Drawn]) -> Iterator[dict[str, Any]]:
    boxes = ((number, box) for number, i in enumerate(images, start=1) for box in i.boxes)
    for annotation_id, (image_number, box) in enumerate(boxes, start=1):
        yield {
            "id": annotation_id,
            "image_id": image_number,
            "category_id": box.category_id,
            "bbox": [box.x_px, box.y_px, box.width_px, box.height_px],
            "area": box.width_px * box.height_px,
            "iscrowd": 0,
        }
