"""The door: the images of a data set, fetched by the addresses in its annotations."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from finding_nemo.core.errors import DatasetError, ImageError, NoSpaceError
from finding_nemo.core.files.atomic_files import refuse_address
from finding_nemo.core.files.locking import held_alone
from finding_nemo.core.prefetch import prefetch_map
from finding_nemo.core.records import Dataset, Split
from finding_nemo.core.reporter import ProgressCallback, Reporter, time_in_words
from finding_nemo.core.text.estimates import DryRun, Estimate, size_in_words
from finding_nemo.data.dataset import read_dataset
from finding_nemo.fetching.fathomnet.fathomnet_api import TERMS, api_address
from finding_nemo.fetching.fetch_plan import FetchPlan, WantedImage, disk_needed, plan_fetch
from finding_nemo.fetching.fetch_run import FetchRun, Sources
from finding_nemo.fetching.fetched_list import (
    FetchedImage,
    FetchJournal,
    MissingImage,
    refuse_strange_tables,
    write_fetched,
    write_missing,
)
from finding_nemo.fetching.keep_image import fetched_image
from finding_nemo.fetching.transfer.addresses import host_of, is_on
from finding_nemo.fetching.transfer.image_request import check_installed, open_client
from finding_nemo.fetching.transfer.politeness import Politeness
from finding_nemo.fetching.transfer.run_async import run_async
from finding_nemo.fetching.verify_image import VerifiedImage, verify_image

_LOCK = "lock"
_UNREACHED = ("cannot be reached", "no connection was made")
_THREADS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchRequest:
    """What is to be fetched.

    Attributes:
        annotations: A data set that gives addresses.
        folder: Where its images go.
        split: Only images of a part of this split.
        part: That part.
        limit: The first so many images.
        politeness: How servers are treated.
        sources: Where else images of FathomNet are looked for; the usual places without.
    """

    annotations: Path
    folder: Path
    split: Split | None = None
    part: str | None = None
    limit: int | None = None
    politeness: Politeness = field(default_factory=Politeness)
    sources: Sources | None = None


@dataclass(frozen=True, kw_only=True)
class FetchSummary:
    """What a fetch came to.

    Attributes:
        n_images: Images that were asked for.
        fetched: Images that are here, in the order of the data set.
        missing: Images that are not, and why, in the same order.
        n_new: Images that came now.
        fetched_path: The table of what is here.
        missing_path: The table of what is missing; `None` if nothing is.
    """

    n_images: int
    fetched: tuple[FetchedImage, ...]
    missing: tuple[MissingImage, ...]
    n_new: int
    fetched_path: Path
    missing_path: Path | None

    @property
    def is_cut_off(self) -> bool:
        """Whether nothing came because no server could be reached."""
        tried = [image.reason for image in self.missing if image.url]
        if self.n_new or not tried:
            return False
        return all(any(words in reason for words in _UNREACHED) for reason in tried)

    @property
    def reasons(self) -> Mapping[str, int]:
        """How many images are missing for each reason, the most frequent first."""
        return dict(Counter(image.reason for image in self.missing).most_common())


def fetch_images(request: FetchRequest, reporter: Reporter) -> FetchSummary:
    """Fetch what is not here yet; what was begun is gone on with.

    Args:
        request: What, and where to.
        reporter: Told how it goes.

    Returns:
        What is here and what is missing; both stand in tables in the folder as well.

    Raises:
        DatasetError: If the annotations cannot be read or give no address.
        OutputExistsError: If the folder holds a table of that name which no fetch wrote.
        OtherRunError: If another process fetches into the folder.
        NoSpaceError: If the disk is too small, or becomes full.
        OutputError: If the folder cannot be written.
        ModuleNotFoundError: If httpx is not installed.
    """
    check_installed()
    folder = request.folder
    refuse_address(folder)
    refuse_strange_tables(folder)
    journal = FetchJournal(folder)
    with _kept_if_used(folder), held_alone(journal.state_folder / _LOCK, f"fetches into {folder}"):
        plan = _plan(request, folder, journal, reporter)
        _check_space(plan, folder)
        _tell(plan, reporter)
        outcome = _Outcome(plan)
        try:
            _look_at_unknown(plan, journal, outcome, reporter)
            _fetch(plan, request, journal, outcome, reporter)
        except KeyboardInterrupt:
            reporter.message("What came is kept; the same command goes on.")
            raise
        finally:
            summary = outcome.write(folder)
        return summary


def dry_run_fetch(request: FetchRequest) -> DryRun:
    """Say what a fetch would do, and what it would take; nothing is asked or written.

    Raises:
        DatasetError: As `fetch_images`.
    """
    refuse_address(request.folder)
    refuse_strange_tables(request.folder)
    with TemporaryDirectory() as empty:
        folder = request.folder if request.folder.is_dir() else Path(empty)
        plan = _plan(request, folder, FetchJournal(folder), Reporter())
    _check_space(plan, _existing(request.folder))
    hosts = Counter(host_of(image.url) for image in plan.wanted)
    work = [f"fetch {n:,} images from {host}" for host, n in hosts.most_common(5)]
    n_here = len(plan.here) + len(plan.unknown)
    work += [f"leave {n_here:,} images that are here as they are"] if n_here else []
    work += [f"list {len(plan.unusable):,} images that cannot be had"] if plan.unusable else []
    return DryRun(tuple(work), (_time(plan, request.politeness), disk_needed(plan)[1]))


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that is there."""
    found = Path(os.path.abspath(folder))
    while not found.is_dir() and found != found.parent:
        found = found.parent
    return found


def _time(plan: FetchPlan, politeness: Politeness) -> Estimate:
    most = max(Counter(host_of(image.url) for image in plan.wanted).values(), default=0)
    words = time_in_words(most / politeness.per_s)
    ground = f"one server is asked at most {politeness.per_s:g} times a second"
    return Estimate("time", f"{words} at least", ground)


def _plan(
    request: FetchRequest, folder: Path, journal: FetchJournal, reporter: Reporter
) -> FetchPlan:
    dataset = read_dataset(request.annotations, images=folder)
    if not any(record.url for record in dataset.records):
        raise DatasetError(
            f"{request.annotations} gives no address of an image: it needs coco_url in its images, "
            "or a column url. Copy the images into a folder yourself, and name it with --images."
        )
    known = journal.read()
    if journal.n_damaged:
        reporter.message(
            f"note: {journal.n_damaged} lines of the journal in {journal.state_folder} cannot be "
            "read; their images are looked at again, not fetched again."
        )
    return plan_fetch(
        dataset, folder, known=known, image_ids=_chosen(dataset, request), limit=request.limit
    )


def _chosen(dataset: Dataset, request: FetchRequest) -> Iterable[str] | None:
    """Return the images of the part; a split may be of a larger data set than these annotations."""
    if request.split is None or request.part is None:
        return None
    ids = [n for n in request.split.ids_in(request.part) if n in dataset.by_id]
    if not ids:
        raise DatasetError(
            f"No image of the part {request.part!r} is in {request.annotations}. Name the "
            "annotations that the split was made of."
        )
    return ids


@contextmanager
def _kept_if_used(folder: Path) -> Iterator[None]:
    """Remove a folder again that was made for nothing."""
    was_there = folder.exists()
    try:
        yield
    except BaseException:
        state = FetchJournal(folder).state_folder
        if not was_there and state.is_dir() and not any(state.iterdir()):
            state.rmdir()
            if not any(folder.iterdir()):
                folder.rmdir()
        raise


def _check_space(plan: FetchPlan, folder: Path) -> None:
    needed, estimate = disk_needed(plan)
    free = shutil.disk_usage(folder).free
    if needed is not None and needed > free:
        raise NoSpaceError(
            f"The images take about {estimate.amount} ({estimate.ground}), and {folder} has "
            f"{size_in_words(free)} free. Choose a folder on a larger disk, or fetch some of them "
            "with --limit N or --split and --part."
        )


def _tell(plan: FetchPlan, reporter: Reporter) -> None:
    n_here = len(plan.here) + len(plan.unknown)
    words = f"{plan.n_images:,} images: {n_here:,} are here, {len(plan.wanted):,} are fetched"
    words += f", {len(plan.unusable):,} cannot be had" if plan.unusable else ""
    if plan.wanted:
        estimate = disk_needed(plan)[1]
        words += f"; disk needed: {estimate.amount} ({estimate.ground})"
    reporter.message(f"{words}.")
    if any(is_on(image.url, Sources().domain) for image in plan.wanted):
        reporter.message(TERMS)


class _Outcome:
    """What is here and what is missing, as it comes."""

    def __init__(self, plan: FetchPlan) -> None:
        self._plan = plan
        self._fetched = {image.image_id: image for image in plan.here}
        self._missing = {image.image_id: image for image in plan.unusable}
        self.n_new = 0
        self.n_failed = 0
        self.progress: ProgressCallback | None = None

    def add_here(self, image: FetchedImage) -> None:
        self._fetched[image.image_id] = image

    def add_fetched(self, image: FetchedImage) -> None:
        self.n_new += 1
        self.add_here(image)
        self._tell()

    def add_missing(self, image: MissingImage) -> None:
        self.n_failed += 1
        self._missing[image.image_id] = image
        self._tell()

    def _tell(self) -> None:
        if self.progress is not None:
            done = self.n_new + self.n_failed
            self.progress(done, len(self._plan.wanted), self.n_failed)

    def write(self, folder: Path) -> FetchSummary:
        """Write the tables; images that a stop came before are missing, too."""
        for image in self._plan.wanted:
            if image.image_id not in self._fetched and image.image_id not in self._missing:
                self._missing[image.image_id] = _missing(image, _STOPPED)
        ids = self._plan.image_ids
        fetched = tuple(self._fetched[n] for n in ids if n in self._fetched)
        missing = tuple(self._missing[n] for n in ids if n in self._missing)
        return FetchSummary(
            n_images=self._plan.n_images,
            fetched=fetched,
            missing=missing,
            n_new=self.n_new,
            fetched_path=write_fetched(folder, sorted(fetched, key=lambda image: image.file)),
            missing_path=write_missing(folder, sorted(missing, key=lambda image: image.file)),
        )


_STOPPED = "not fetched yet: the program was stopped; the same command goes on"


def _missing(image: WantedImage, reason: str) -> MissingImage:
    return MissingImage(file=image.file, image_id=image.image_id, url=image.url, reason=reason)


def _look_at_unknown(
    plan: FetchPlan, journal: FetchJournal, outcome: _Outcome, reporter: Reporter
) -> None:
    """Take files that are here into the journal; what is no image is a person's to remove."""
    if not plan.unknown:
        return
    with reporter.progress("looking at what is here") as progress:
        looked = prefetch_map(_looked_at, plan.unknown, threads=_THREADS)
        for n_done, (image, found) in enumerate(zip(plan.unknown, looked, strict=True), start=1):
            if isinstance(found, VerifiedImage):
                here = fetched_image(image, "", found)
                journal.add(here)
                outcome.add_here(here)
            else:
                outcome.add_missing(_missing(image, _BROKEN.format(found)))
            progress(n_done, len(plan.unknown))


_BROKEN = "a file of this name is here, but {}; delete it, and the same command fetches it"


def _looked_at(image: WantedImage) -> VerifiedImage | str:
    try:
        return verify_image(image.path)
    except ImageError as error:
        return str(error)


def _fetch(
    plan: FetchPlan,
    request: FetchRequest,
    journal: FetchJournal,
    outcome: _Outcome,
    reporter: Reporter,
) -> None:
    if not plan.wanted:
        return
    sources = request.sources or Sources(api=api_address())

    async def run() -> None:
        async with open_client(request.politeness) as client:
            fetch = FetchRun(
                client,
                journal,
                politeness=request.politeness,
                sources=sources,
                add_fetched=outcome.add_fetched,
                add_missing=outcome.add_missing,
            )
            await fetch.fetch(plan.wanted)

    with reporter.progress("fetching") as outcome.progress:
        try:
            run_async(run())
        except BaseExceptionGroup as group:  # all say the same: the first one that ended it
            raise group.exceptions[0] from None
