"""One run: a plan, the parts that are still missing, and the whole file at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from finding_nemo.core.errors import OtherRunError, OutputError, SettingsError
from finding_nemo.core.files.atomic_files import refuse_existing
from finding_nemo.core.files.input_limits import USUAL_LIMITS, InputLimits
from finding_nemo.core.files.output_checks import is_same_file, refuse_input
from finding_nemo.core.provenance import now_utc
from finding_nemo.core.reporter import ProgressCallback, Reporter, no_progress
from finding_nemo.data.filesystems.tar import tar_of
from finding_nemo.models.bundle.bundle import Bundle
from finding_nemo.models.inference.open_bundle_network import InferenceOptions
from finding_nemo.prediction.postprocess import PRECISION, PostProcessor
from finding_nemo.prediction.rank_answers import Ranks
from finding_nemo.prediction.run.run_plan import Plan, PlanSize, write_plan
from finding_nemo.prediction.sources.image_sources import ImageInput
from finding_nemo.results.chunk_store import ChunkStore
from finding_nemo.results.schema import Columns


@dataclass(frozen=True, slots=True)
class Shard:
    """One of `count` equal shares of a run, counted from 1."""

    number: int = 1
    count: int = 1

    def chunks(self, n_chunks: int) -> range:
        """Return its parts: neighbours, so that a tar or a video is read in one piece."""
        first, end = ((n_chunks * k) // self.count for k in (self.number - 1, self.number))
        return range(first, end)


def parse_shard(text: str) -> Shard:
    """Return the shard that "2/3" means.

    Raises:
        SettingsError: If it is not i/n with 1 <= i <= n.
    """
    number, _, count = text.partition("/")
    if number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count):
        return Shard(int(number), int(count))
    raise SettingsError(f"{text!r} is no shard; write i/n, such as 1/3, 2/3 and 3/3.")


@dataclass(frozen=True)
class ChunkWork:
    """What an engine is given.

    Attributes:
        bundle: The trained model.
        plan: The images.
        size: What the plan holds.
        columns: The columns of each row.
        precision: Share of the categories named that should be right.
        progress: Told of the progress: images done, in all, failed.
        network: How the network is to be computed, the same for every part.
        limits: What one image may cost.
        ranks: Whether the one answer climbs through the ranks of the tree of names, or of a table
            of taxa.
        postprocessor: What is said of network outputs, where it is made ready already: that takes
            half a second.
    """

    bundle: Bundle
    plan: Plan
    size: PlanSize
    columns: Columns
    precision: float = PRECISION
    progress: ProgressCallback = no_progress
    network: InferenceOptions = field(default_factory=InferenceOptions)
    limits: InputLimits = USUAL_LIMITS
    ranks: Ranks = False
    postprocessor: PostProcessor | None = None


ChunkRows = tuple[int, pa.Table]
# Predicts parts and yields each when it is done, in any order.
Engine = Callable[[ChunkWork, Sequence[int]], Iterator[ChunkRows]]


@dataclass(frozen=True, slots=True)
class RunState:
    """A run that has begun.

    Attributes:
        request: What was asked for.
        size: What its plan holds.
        started: When it first began.
    """

    request: Mapping[str, Any]
    size: PlanSize
    started: str


def begin_or_go_on(
    folder: ChunkStore,
    images: Iterable[ImageInput],
    request: Mapping[str, Any],
    *,
    overwrite: bool,
    reporter: Reporter,
) -> RunState:
    """Return the run that is unfinished in `folder`; list the images for a new one if none is.

    Raises:
        OtherRunError: If another command's run is unfinished there and `overwrite` is false.
        OutputExistsError: If the output exists and `overwrite` is false.
    """
    found = unfinished_run(folder, request, overwrite=overwrite, reporter=reporter)
    if found is not None:
        return RunState(request, PlanSize(**found["plan"]), found["started"])
    folder.clear()
    started = now_utc()
    size = write_plan(none_replaced(images, folder.out), folder.plan_path)
    folder.begin({"request": request, "plan": asdict(size), "started": started})
    return RunState(request, size, started)


def unfinished_run(
    folder: ChunkStore,
    request: Mapping[str, Any],
    *,
    overwrite: bool,
    reporter: Reporter,
) -> Mapping[str, Any] | None:
    """Return the unfinished run of `request` that is to be gone on with; change nothing.

    Raises:
        OtherRunError: If another command's run is unfinished there and `overwrite` is false.
        OutputExistsError: If the output exists and `overwrite` is false.
    """
    refuse_existing(folder.out, overwrite=overwrite)
    found = folder.job()
    if found is not None and found["request"] != request and not folder.has_chunks:
        found = None  # it was stopped before anything was predicted
    if found is not None and found["request"] == request:
        reporter.message(
            f"Going on with the run of {found['started']} and the images that it listed."
        )
        return found
    if found is not None:
        _refuse_other(folder, found["request"], request, overwrite=overwrite, reporter=reporter)
    return None


def none_replaced(images: Iterable[ImageInput], out: Path) -> Iterator[ImageInput]:
    """Pass images on, none of which is the file that the output will replace.

    Raises:
        OutputError: If one is.
    """
    there = out.stat() if out.exists() else None
    for image in images:
        if there is not None and is_same_file(_file_of(image), there):
            refuse_input(out, [_file_of(image)])
        yield image


def _file_of(image: ImageInput) -> str:
    """Return the file that holds an image: of a member of a tar, the tar."""
    return tar_of(image.path) if image.path.startswith("tar://") else image.path


def _refuse_other(
    folder: ChunkStore,
    earlier: Mapping[str, Any],
    request: Mapping[str, Any],
    *,
    overwrite: bool,
    reporter: Reporter,
) -> None:
    names = sorted(earlier.keys() | request.keys())
    changed = [name for name in names if earlier.get(name) != request.get(name)]
    differing = "; ".join(
        f"{name} was {_short(earlier.get(name))}{_meaning(name)}" for name in changed
    )
    if not overwrite:
        raise OtherRunError(
            f"{folder.out} is unfinished, and was begun by another command: {differing}. Give that "
            "command to go on with it, choose another output, or add --overwrite to begin anew."
        )
    reporter.message(f"Beginning anew: what was unfinished was another command's: {differing}.")


def _meaning(name: str) -> str:
    meaning = _ASKED.get(name)
    return f" ({meaning})" if meaning else ""


def _short(value: object) -> str:
    """Return a value as a person would say it, at most a few words."""
    if isinstance(value, Mapping):
        value = ", ".join(f"{name} {entry}" for name, entry in value.items() if name != "reason")
    elif isinstance(value, list):
        value = " ".join(map(str, value))
    text = "not given" if value in (None, "") else str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


_SHOWN = 60
# What a run is known by, as the command line calls it.
_ASKED = {
    "version": "of finding-nemo",
    "bundle_hash": "hash of the bundle",
    "names": "the images named",
    "lists": "hashes of the lists",
    "images": "--images, or the hash of the listing",
    "dive_pattern": "--dive-pattern",
    "origin": "--origin",
    "split": "hash of --split",
    "part": "--part",
    "every_s": "--every",
    "vector": "--vector, and --format",
    "embeddings": "--embeddings, and --format",
    "maps": "--maps, and --format",
    "precision": "--precision",
    "ranks": "--ranks, or the hash of --taxa",
    "shard": "--shard",
    "columns": "of the rows, which this version of finding-nemo has others of",
    "layout": "--guesses and --ids",
    "network": "--dtype, --runtime and --device, or what is installed",
}


def predict_missing(
    folder: ChunkStore, work: ChunkWork, engine: Engine, chunks: Sequence[int], reporter: Reporter
) -> None:
    """Predict the parts that are not finished, and store each as soon as it is.

    Raises:
        NoSpaceError: If the disk is full; finished parts stay.
    """
    missing = folder.missing(chunks)
    if len(missing) < len(chunks):
        reporter.message(f"{len(chunks) - len(missing)} of {len(chunks)} parts are done already.")
    # Packing and flushing a part takes no time from the next one.
    with ThreadPoolExecutor(1) as pool:
        pending: Future[None] | None = None
        for chunk, rows in engine(work, missing):
            if pending is not None:
                pending.result()
            pending = pool.submit(folder.write_chunk, chunk, rows)
        if pending is not None:
            pending.result()


def finished_rows(
    folder: ChunkStore,
    chunks: Sequence[int],
    size: PlanSize,
    *,
    columns: Sequence[str] | None = None,
) -> Iterator[pa.Table]:
    """Yield the rows of all parts in order.

    Args:
        folder: Where they are.
        chunks: Their numbers.
        size: What the plan holds.
        columns: Which columns, those that there are; `None`: all.

    Raises:
        OutputError: If a part is damaged; it is removed, and the same command repeats it.
    """
    for chunk in chunks:
        rows = folder.read_chunk(chunk, columns=columns)
        if rows is None or len(rows) != size.rows_in(chunk):
            path = folder.chunk_path(chunk)
            path.unlink(missing_ok=True)
            raise OutputError(
                f"A finished part of {folder.out} was damaged and is removed. Give the same "
                "command again: it goes on."
            )
        yield rows
