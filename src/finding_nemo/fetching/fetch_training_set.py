"""A training set of some concepts from FathomNet: annotations first, then its images."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from finding_nemo.core.errors import FetchError, OutputExistsError, SettingsError
from finding_nemo.core.files.atomic_files import refuse_address, write_text
from finding_nemo.core.files.text_files import read_lines
from finding_nemo.core.records import Dataset
from finding_nemo.core.reporter import ProgressCallback, Reporter
from finding_nemo.data.dataset import read_dataset
from finding_nemo.fetching.fathomnet.concept_query import ConceptFilter, images_of_concept
from finding_nemo.fetching.fathomnet.fathomnet_api import api_address, uuid_in
from finding_nemo.fetching.fathomnet.new_training_set import (
    NewTrainingSet,
    ProvenanceRow,
    forbidden_images,
    unseen_concepts,
)
from finding_nemo.fetching.fetched_list import refuse_strange_table, write_rows
from finding_nemo.fetching.transfer.image_request import check_installed, open_client
from finding_nemo.fetching.transfer.politeness import Politeness
from finding_nemo.fetching.transfer.run_async import run_async

ANNOTATIONS_FILE = "annotations.json"
PROVENANCE_FILE = "provenance.csv"
_QUERY_FILE = "query.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSetRequest:
    """Which training set is wanted.

    Attributes:
        annotations: The competition's data set: its category table, and the evaluation images that
            are refused.
        folder: Where the new data set goes.
        concepts: A file of names, one a line; `None` for the categories without a training image.
        wanted: By depth, region and time.
        politeness: How the interface is treated.
        api: Where it is; the usual place without.
    """

    annotations: Path
    folder: Path
    concepts: Path | None = None
    wanted: ConceptFilter = field(default_factory=ConceptFilter)
    politeness: Politeness = field(default_factory=Politeness)
    api: str = ""


def gather_training_set(request: TrainingSetRequest, reporter: Reporter) -> Path:
    """Ask FathomNet for images of concepts, and write their annotations.

    The same request again asks nothing and returns what was written. Images of the evaluation part
    are refused by their uuid and by their address: FathomNet's answers hold their labels.

    Returns:
        The COCO file; its images are to be fetched into `images` beside it.

    Raises:
        DatasetError: If the annotations cannot be read.
        FetchError: If they hold no evaluation images, no image was found, or the interface fails.
        SettingsError: If a concept is not in the category table.
        OutputExistsError: If the folder holds the training set of another request, or a person's
            own file under a name that would be written.
        OutputError: If it cannot be written.
        ModuleNotFoundError: If httpx is not installed.
    """
    check_installed()
    refuse_address(request.folder)
    dataset = read_dataset(request.annotations)
    found = NewTrainingSet(
        categories=dataset.categories,
        forbidden=forbidden_images(dataset),
        known_uuids=frozenset(
            uuid for record in dataset.annotated if (uuid := uuid_in(record.image_id))
        ),
    )
    concepts = _concepts(request, dataset)
    path, query = request.folder / ANNOTATIONS_FILE, _query(request, concepts)
    if path.exists():
        if _read_query(request.folder) != query:
            raise OutputExistsError(
                f"{path} is the answer to another question than this one. Choose another folder."
            )
        reporter.message(f"{path} is there already, of the same question: it is gone on with.")
        return path
    refuse_strange_table(request.folder / PROVENANCE_FILE, ProvenanceRow)
    with reporter.progress("asking FathomNet", unit="concepts") as progress:
        run_async(_gather(request, concepts, found, progress))
    for words, n in found.counts.most_common():
        reporter.message(f"note: passed over {n:,} {words}.")
    if not found.rows:
        raise FetchError(
            f"FathomNet has no image of the {len(concepts)} concepts that may be taken. Ask for "
            "other concepts, depths, regions or times."
        )
    write_rows(request.folder / PROVENANCE_FILE, ProvenanceRow, found.rows)
    write_text(request.folder / _QUERY_FILE, json.dumps(query, indent=1))
    write_text(path, json.dumps(found.to_coco()))
    reporter.message(f"{len(found.rows):,} images of {len(concepts)} concepts: {path}.")
    return path


def _concepts(request: TrainingSetRequest, dataset: Dataset) -> tuple[str, ...]:
    if request.concepts is None:
        names = unseen_concepts(dataset)
        if not names:
            raise SettingsError(
                f"Every category of {request.annotations} has a training image: nothing is unseen. "
                "Name concepts in a file with --concepts."
            )
        return names
    lines = (line.strip() for line in read_lines(request.concepts, refusal=SettingsError))
    names = tuple(dict.fromkeys(line for line in lines if line and not line.startswith("#")))
    known = {name.casefold(): name for name in dataset.categories.names}
    strange = [name for name in names if name.casefold() not in known]
    if strange or not names:
        shown = ", ".join(repr(name) for name in strange[:5]) or "no name at all"
        raise SettingsError(
            f"{request.concepts} names {shown}; each line must be a name of the category table of "
            f"{request.annotations}, such as {dataset.categories.names[0]}."
        )
    return tuple(known[name.casefold()] for name in names)


def _query(request: TrainingSetRequest, concepts: tuple[str, ...]) -> dict[str, Any]:
    wanted = {name: _plain(value) for name, value in asdict(request.wanted).items()}
    return {"concepts": list(concepts), **wanted}


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    return value if isinstance(value, float | int | None) else str(value)


def _read_query(folder: Path) -> Mapping[str, Any] | None:
    try:
        found = json.loads((folder / _QUERY_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


async def _gather(
    request: TrainingSetRequest,
    concepts: tuple[str, ...],
    found: NewTrainingSet,
    progress: ProgressCallback,
) -> None:
    api = request.api or api_address()
    async with open_client(request.politeness) as client:
        for n_done, concept in enumerate(concepts):
            progress(n_done, len(concepts))
            n_taken = 0
            async for entry in images_of_concept(
                client, api, concept, request.wanted, request.politeness
            ):
                n_taken += found.add(entry)
                if n_taken >= request.wanted.per_concept:
                    break
        progress(len(concepts), len(concepts))
