"""The folder of one training: what it is of, where it was stopped, and who may write into it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from finding_nemo.core.errors import OutputExistsError, SettingsError, SplitError
from finding_nemo.core.files.atomic_files import (
    OUTPUT_MARKER,
    prepare_output_folder,
    refuse_replacing,
    write_text,
)
from finding_nemo.core.files.locking import held_alone, refuse_held
from finding_nemo.core.records import Dataset, Split
from finding_nemo.data.splits.split_csv import read_split, split_text, write_split
from finding_nemo.models.bundle.bundle_files import MANIFEST
from finding_nemo.training.examples.partition import Partition
from finding_nemo.training.loop.checkpoints import CHECKPOINTS, has_checkpoint, stopped_at

BUNDLE = "bundle"
_SETTINGS = "settings.json"
_SPLIT = "split.csv"
# What a training leaves that kept no step: nothing that anybody would miss.
_OF_A_START = {OUTPUT_MARKER, _SETTINGS, _SPLIT, CHECKPOINTS}
_DATA = {"data": "ids, labels or boxes", "images": "image files"}
_MOST_LISTED = 12


class RunFolder:
    """A run folder that is asked for, then made or gone on with."""

    def __init__(self, path: Path, request: Mapping[str, Any], parts: Partition) -> None:
        """Touch nothing yet.

        Args:
            path: The folder.
            request: Recipe, seed and settings, as JSON can say them.
            parts: What is learnt from.
        """
        self.path = path
        self._request = json.loads(json.dumps({**request, "data": _hash_of(parts.dataset)}))
        self._split = parts.split
        self._goes_on = self._is_begun = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other trainings out of the folder while the block lasts.

        Raises:
            OtherRunError: If one is in it.
            OutputError: If the folder around it cannot be written.
        """
        with held_alone(self._lock, self._doing):
            yield

    def refuse_busy(self) -> None:
        """Refuse a folder that another training is in, without making the lock.

        Raises:
            OtherRunError: If one is.
        """
        refuse_held(self._lock, self._doing)

    @property
    def _lock(self) -> Path:
        position = self.path.resolve()
        return position.with_name(f".{position.name}.lock")

    @property
    def _doing(self) -> str:
        return f"trains into {self.path}"

    @property
    def has_ended(self) -> bool:
        """Whether there is a bundle."""
        return (self.path / BUNDLE / MANIFEST).is_file()

    @property
    def stopped_at(self) -> str | None:
        """Where the training that is kept was stopped, in words; `None` if none is.

        Raises:
            TrainingError: If its checkpoint is damaged.
        """
        return stopped_at(self.path / CHECKPOINTS)

    def check(self, *, overwrite: bool, resume: bool) -> None:
        """Refuse what is not to be replaced before anything is computed; change nothing.

        Raises:
            OutputExistsError: If the folder is occupied; the message says by what.
            SettingsError: If another training is to be resumed than the one that is there.
            TrainingError: If the checkpoint that is to be resumed is damaged.
        """
        if self._is_vacant:
            return
        if overwrite and not resume:
            refuse_replacing(self.path, overwrite=True)
        elif not (self.path / _SETTINGS).is_file():
            if resume:
                raise OutputExistsError(
                    f"{self.path} holds no run that could be resumed: {_SETTINGS} is missing."
                )
            refuse_replacing(self.path, overwrite=False)
        elif resume:
            self._check_same()
            self._goes_on = True
        else:
            raise OutputExistsError(self._occupied())

    def _check_same(self) -> None:
        differences = self._differences()
        if differences:
            raise SettingsError(
                f"--resume: the training in {self.path} is not what this command asks for: "
                f"{_listed(differences)}. Give the same data, recipe, settings, seed and split, "
                "or start again with --overwrite."
            )

    def _occupied(self) -> str:
        if self.has_ended:
            return (
                f"{self.path} holds a training that has ended, with its bundle in "
                f"{self.path / BUNDLE}. Choose another output, or add --overwrite to train anew."
            )
        differences, position = self._differences(), self.stopped_at or "its start"
        if differences:
            return (
                f"{self.path} holds another training, stopped at {position}: "
                f"{_listed(differences)}. Choose another output, or add --overwrite to lose it."
            )
        return (
            f"{self.path} holds a training that was stopped at {position}: add --resume to go on "
            "with it, or --overwrite to begin anew."
        )

    def begin(self, images: str) -> None:
        """Make the folder, or go on with it: from here on something is written.

        Args:
            images: Stands for the bytes of the images that are learnt from.

        Raises:
            OutputError: If it cannot be made.
            SettingsError: If the training that is to be gone on with is of other images.
        """
        self._request["images"] = images
        if self._goes_on:
            self._check_same()
        else:
            prepare_output_folder(self.path, overwrite=True)
            write_text(self.path / _SETTINGS, json.dumps(self._request, indent=2) + "\n")
            write_split(self._split, self.path / _SPLIT)
        self._is_begun = True

    def tidy_up(self) -> None:
        """Remove a folder that this training made and kept nothing in."""
        if self._is_begun and self._is_vacant:
            shutil.rmtree(self.path, ignore_errors=True)

    def how_to_go_on(self) -> str | None:
        """Return what of this training is kept and how to go on, if anything is."""
        position = self.stopped_at if self._is_begun else None
        return (
            f"{self.path} keeps the training as it was at {position}; the same command with "
            "--resume "
            "goes on from there."
            if position
            else None
        )

    @property
    def _is_vacant(self) -> bool:
        """Whether there is no folder, or only what the start of a training makes."""
        if not self.path.is_dir():
            return not self.path.exists()
        names = {
            entry.name
            for entry in self.path.iterdir()
            if not (entry.name.startswith(".") and "partial" in entry.name)
        }
        is_ours = OUTPUT_MARKER in names and names <= _OF_A_START
        return not names or (is_ours and not has_checkpoint(self.path / CHECKPOINTS))

    def _differences(self) -> list[str]:
        """Return each way in which the training that is there differs from this one, in words."""
        try:
            there = json.loads((self.path / _SETTINGS).read_text(encoding="utf-8"))
            found = [
                f"{key} {there[key]} there, {self._request[key]} here"
                for key in ("recipe", "seed")
                if there[key] != self._request[key]
            ]
            if there["recipe"] == self._request["recipe"]:
                found += _changed(there["settings"], self._request["settings"])
            found += [
                f"{what} of the data set have changed since"
                for key, what in _DATA.items()
                # Runs of earlier versions do not say, nor does a command before it has looked.
                if key in there and there[key] != self._request.get(key, there[key])
            ]
        except (ValueError, KeyError, TypeError):
            found = [f"{self.path / _SETTINGS} cannot be read"]
        return found + _moved(self.path / _SPLIT, self._split)


def _changed(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    return [
        f"{key} {_value(there, key)} there, {_value(here, key)} here"
        for key in dict.fromkeys((*there, *here))
        if _value(there, key) != _value(here, key)
    ]


def _value(settings: Mapping[str, Any], key: str) -> str:
    return json.dumps(settings[key]) if key in settings else "unknown"


def _moved(path: Path, split: Split) -> list[str]:
    try:
        if path.read_text(encoding="utf-8") == split_text(split):
            return []
        there = read_split(path).part_of
    except (OSError, SplitError):
        return [f"{path} cannot be read"]
    here = split.part_of
    moved = sum(there.get(image) != here.get(image) for image in {*there, *here})
    return [f"{moved} images in another part of the split" if moved else "another order or dives"]


def _listed(differences: Sequence[str]) -> str:
    rest = len(differences) - _MOST_LISTED
    shown = "; ".join(differences[:_MOST_LISTED])
    return f"{shown}; and {rest} more" if rest > 0 else shown


def _hash_of(dataset: Dataset) -> str:
    """Return one hash for what is learnt of a data set, wherever it lies."""
    digest = hashlib.sha256()
    for category in dataset.categories.categories:
        digest.update(f"{category.category_id} {category.name} {category.supercategory}\n".encode())
    for record in dataset.records:
        boxes = [
            (box.category_id, box.x_px, box.y_px, box.width_px, box.height_px)
            for box in record.boxes
        ]
        line = (
            f"{record.image_id} {record.category_ids} {record.dive} {record.captured} "
            f"{record.width} {record.height} {boxes}\n"
        )
        digest.update(line.encode(errors="surrogateescape"))
    return digest.hexdigest()
