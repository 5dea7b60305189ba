"""A training set out of FathomNet's answers: COCO, without any image of the evaluation."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from finding_nemo.core.categories import CategoryTable
from finding_nemo.core.errors import FetchError
from finding_nemo.core.records import Dataset
from finding_nemo.data.images.decode import IMAGE_SUFFIXES
from finding_nemo.fetching.fathomnet.fathomnet_api import ImageFacts, image_facts, uuid_in

_LICENCE_TAGS = frozenset({"license", "licence", "dc:license", "dcterms:license"})
NOT_STATED = "not stated for this image; see https://fathomnet.org/terms"


@dataclass(frozen=True, slots=True)
class Forbidden:
    """Images that may not be learned from, by uuid and by the path of their address."""

    uuids: frozenset[str]
    paths: frozenset[str]

    def holds(self, facts: ImageFacts) -> bool:
        """Return whether an image is one of them."""
        return facts.uuid in self.uuids or path_of(facts.url) in self.paths


def path_of(url: str) -> str:
    """Return what of an address stays when its host moves; all of what is no address."""
    try:
        path = urlsplit(url).path
    except ValueError:
        path = url
    return unquote(path).casefold()


def forbidden_images(dataset: Dataset) -> Forbidden:
    """Return the images of a data set that nobody annotated: its evaluation part.

    Raises:
        FetchError: If it has none, so that nothing would keep evaluation images out.
    """
    records = [record for record in dataset.records if record.category_ids is None]
    if not records:
        raise FetchError(
            f"{dataset.source.path if dataset.source else dataset.root} holds no evaluation "
            "images (eval.json). FathomNet's own answers hold the labels of the competition's "
            "evaluation images; without the list of them nothing keeps them out of the training. "
            "Name the competition's folder or zip."
        )
    uuids = {uuid_in(record.image_id) for record in records} - {None}
    paths = {path_of(record.url) for record in records if record.url}
    return Forbidden(frozenset(str(uuid) for uuid in uuids), frozenset(paths))


def unseen_concepts(dataset: Dataset) -> tuple[str, ...]:
    """Return the names of the categories that no annotated image holds."""
    held = {number for record in dataset.annotated for number in record.category_ids or ()}
    return tuple(
        each.name for each in dataset.categories.categories if each.category_id not in held
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenanceRow:
    """Where an image is from and under which terms.

    Attributes:
        file: Its name below the image folder.
        uuid: FathomNet's name of it.
        url: Its address.
        license: As its tags state it, or that they do not.
        contributor: Who gave it to FathomNet, as that says.
        captured: When it was filmed, as FathomNet says.
        depth_m: Metres below the surface.
        latitude: In degrees.
        longitude: In degrees.
        concepts: The names of its boxes.
    """

    file: str
    uuid: str
    url: str
    license: str
    contributor: str
    captured: str
    depth_m: float | None
    latitude: float | None
    longitude: float | None
    concepts: str


@dataclass(slots=True)
class NewTrainingSet:
    """Images as they come; each is taken once, or passed over and counted.

    Attributes:
        categories: The table that its boxes are of.
        forbidden: Images that are refused.
        known_uuids: Images that the person has already.
        rows: Where each image is from.
        counts: What was passed over, in words.
    """

    categories: CategoryTable
    forbidden: Forbidden
    known_uuids: frozenset[str]
    rows: list[ProvenanceRow] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    _images: list[dict[str, Any]] = field(default_factory=list)
    _boxes: list[dict[str, Any]] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)

    def add(self, entry: Mapping[str, Any]) -> bool:
        """Take an image of an answer; return whether it is new and was taken."""
        facts = image_facts(entry)
        if facts is None or not facts.url:
            self.counts["images without a uuid or an address"] += 1
            return False
        if facts.uuid in self._seen:
            return False
        self._seen.add(facts.uuid)
        if self.forbidden.holds(facts):
            self.counts["evaluation images, refused: their labels must not be learned from"] += 1
            return False
        if facts.uuid in self.known_uuids:
            self.counts["images that the data set has already"] += 1
            return False
        boxes = list(self._boxes_of(entry))
        if not boxes:
            self.counts["images without a box of a category of the table"] += 1
            return False
        self._take(facts, entry, boxes)
        return True

    def _boxes_of(self, entry: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
        by_name = {name.casefold(): number for number, name in self._names()}
        for box in _list(entry.get("boundingBoxes")):
            number = by_name.get(str(box.get("concept")).strip().casefold())
            sides = [box.get(name) for name in ("x", "y", "width", "height")]
            if box.get("rejected") is True or box.get("reviewState") == "REJECTED":
                self.counts["boxes that a reviewer rejected"] += 1
            elif number is None:
                self.counts["boxes of names that are not in the table"] += 1
            elif not _is_box(sides):
                self.counts["boxes that have no place"] += 1
            else:
                yield {"category_id": number, "bbox": sides}

    def _names(self) -> Iterable[tuple[int, str]]:
        return zip(self.categories.ids, self.categories.names, strict=True)

    def _take(
        self, facts: ImageFacts, entry: Mapping[str, Any], boxes: list[dict[str, Any]]
    ) -> None:
        number = len(self._images) + 1
        suffix = os.path.splitext(path_of(facts.url))[1]
        file = facts.uuid + (suffix if suffix in IMAGE_SUFFIXES else ".png")
        captured = _text(entry.get("timestamp"))
        image = {
            "id": number,
            "file_name": file,
            "width": facts.width,
            "height": facts.height,
            "coco_url": facts.url,
            "date_captured": captured or None,
        }
        self._images.append({name: value for name, value in image.items() if value is not None})
        for box in boxes:
            self._boxes.append({"id": len(self._boxes) + 1, "image_id": number, **box})
        by_id = dict(self._names())
        names = dict.fromkeys(by_id[box["category_id"]] for box in boxes)
        self.rows.append(
            ProvenanceRow(
                file=file,
                uuid=facts.uuid,
                url=facts.url,
                license=_licence(entry) or NOT_STATED,
                contributor=_text(entry.get("contributorsEmail")),
                captured=captured,
                depth_m=facts.depth_m,
                latitude=facts.latitude,
                longitude=facts.longitude,
                concepts="; ".join(names),
            )
        )

    def to_coco(self) -> dict[str, Any]:
        """Return the COCO file."""
        table = [
            {"id": each.category_id, "name": each.name, "supercategory": each.supercategory}
            for each in self.categories.categories
        ]
        return {"images": self._images, "annotations": self._boxes, "categories": table}


def _list(value: object) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _is_box(sides: list[Any]) -> bool:
    if not all(isinstance(side, int | float) and not isinstance(side, bool) for side in sides):
        return False
    return all(math.isfinite(side) for side in sides) and sides[2] > 0 and sides[3] > 0


def _licence(entry: Mapping[str, Any]) -> str:
    tags = _list(entry.get("tags"))
    found = (tag for tag in tags if _text(tag.get("key")).lower() in _LICENCE_TAGS)
    return next((text for tag in found if (text := _text(tag.get("value")))), "")


def _text(value: object) -> str:
    """Return a text of an answer without what no file can hold."""
    text = value if isinstance(value, str) else ""
    return text.encode("utf-8", "replace").decode()[:500].strip()
