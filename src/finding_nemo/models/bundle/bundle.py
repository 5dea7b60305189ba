"""A trained model with all that it needs, as a folder; read and written without torch."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load, save

from finding_nemo.core.arrays import Tensors
from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.errors import BundleError, DatasetError, SettingsError
from finding_nemo.core.files.atomic_files import raise_no_space, write_text
from finding_nemo.core.names.renamed_names import with_current_names
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.provenance import hash_file
from finding_nemo.core.text.printable import one_line, printable
from finding_nemo.core.text.short_repr import ShortRepr
from finding_nemo.core.text.wrong_argument import check_path
from finding_nemo.models.bundle.bundle_files import (
    ADAPTATION,
    INT8_NETWORK,
    MANIFEST,
    MODEL_CARD,
    NETWORK,
    NOVELTY,
    WEIGHTS,
    FileRecord,
    check_files,
    needed_files,
    read_file_of,
    record_of_file,
    records_of_files,
)
from finding_nemo.models.bundle.manifest import (
    OLDEST_SCHEMA_VERSION,
    SCHEMA_VERSION,
    BundleManifest,
)
from finding_nemo.models.bundle.model_card import model_card

# A manifest is 4 deep; each ensemble of ensembles adds 3.
_DEEPEST = 60
_MOST_FAULTS = 10
_LONGEST_LINE = 300
NOT_VERIFIED = (
    "the bundle holds no hashes of its files (an earlier version made it): damage to them would "
    "not be noticed."
)
FROM_RANDOM = (
    "the network was trained from RANDOM weights ({}), nothing was pretrained: it knows no more "
    "than its training images showed it."
)


@dataclass(frozen=True, repr=False)
class Bundle(ShortRepr):
    """A bundle, read.

    Attributes:
        path: Its folder.
        manifest: The contents of `bundle.json`.

    Example:
        >>> finding_nemo.load_bundle("runs/probe").categories.names[:3]  # doctest: +SKIP
    """

    path: Path
    manifest: BundleManifest

    def facts(self) -> Mapping[str, object]:
        """Return what it is and how good it was on validation dives."""
        summary = self.manifest.validation
        return {
            "path": self.path,
            "recipe": self.manifest.recipe,
            "categories": len(self.manifest.categories),
            "validation_map_at_20": f"{summary.map_at_20:.4f}" if summary else "not known",
        }

    @cached_property
    def categories(self) -> CategoryTable:
        """The category table in column order."""
        return table_of(self.manifest)

    @property
    def preprocessing(self) -> Preprocessing:
        """What is done to pixels; the usual where the manifest says nothing."""
        return self.manifest.preprocessing or Preprocessing()

    @property
    def onnx_path(self) -> Path:
        """Where the exported network is."""
        return self.path / NETWORK

    @property
    def int8_path(self) -> Path:
        """Where the network in int8 is, once it has been exported."""
        return self.path / INT8_NETWORK

    @property
    def holds_int8(self) -> bool:
        """Whether it holds a network in int8 whose export came to its end."""
        known = self.manifest.files
        return self.int8_path.is_file() and (not known or INT8_NETWORK in known)

    @property
    def notices(self) -> tuple[str, ...]:
        """What a user of the bundle should know."""
        origins = self.manifest.weights_origins or ()
        random = [origin.backbone for origin in origins if origin.is_random]
        started = FROM_RANDOM.format(", ".join(random))
        return (*([] if self.manifest.files else [NOT_VERIFIED]), *([started] if random else []))

    def network_bytes(self, name: str = NETWORK) -> bytes:
        """Return the bytes of `model.onnx` or of `model.int8.onnx`, verified.

        Raises:
            BundleError: If the file is a link, cannot be read or is not what it was.
        """
        return read_file_of(self.path, name, self.manifest.files)

    @cached_property
    def weights(self) -> dict[str, npt.NDArray[Any]]:
        """The tensors of `weights.safetensors`, by name."""
        return self._tensors(WEIGHTS)

    @cached_property
    def novelty(self) -> dict[str, npt.NDArray[Any]]:
        """The tensors of `novelty.safetensors`, by name."""
        return self._tensors(NOVELTY)

    def _tensors(self, name: str) -> dict[str, npt.NDArray[Any]]:
        content = read_file_of(self.path, name, self.manifest.files)
        try:
            return dict(load(content))
        # A header may name types that numpy has not (KeyError) or shapes that do not fit.
        except (SafetensorError, KeyError, TypeError, ValueError, OverflowError) as error:
            words = one_line(error, longest=200)
            raise BundleError(
                f"{self.path / name} cannot be read: {words}. Train or copy it again."
            ) from None

    @cached_property
    def prior(self) -> npt.NDArray[np.float64]:
        """The share of training images that hold each category, shape (categories,)."""
        n_train = self.manifest.split.parts["train"].n_images
        counts = np.array([entry.n_images for entry in self.manifest.categories])
        return counts / max(n_train, 1)

    def to_probabilities(self, outputs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return probabilities in [0, 1] from the network's outputs, same shape."""
        if self.manifest.activation == "clip":
            return np.clip(outputs, 0.0, 1.0)
        # tanh does not overflow where exp(-x) would.
        half = np.float32(0.5)
        probabilities: npt.NDArray[np.float32] = half * (np.float32(1) + np.tanh(half * outputs))
        return probabilities


def load_bundle(path: Path | str) -> Bundle:
    """Read a bundle; `path` is its folder, or the run folder that holds it.

    Every file that decides a prediction is compared with the hash that `bundle.json` has of it.

    Args:
        path: The folder.

    Returns:
        The bundle, its manifest read and its files verified.

    Raises:
        BundleError: If there is none, a file is missing, damaged, changed or a link, or it has
            another schema version.
        ArgumentError: If `path` is no path.

    Example:
        >>> bundle = finding_nemo.load_bundle("runs/probe")  # doctest: +SKIP
        >>> bundle.manifest.validation  # doctest: +SKIP
    """
    check_path(path, "load_bundle()", "the path of a bundle or run folder")
    try:
        return _loaded(Path(path))
    except OSError as error:
        raise BundleError(f"The bundle {path} cannot be read: {error.strerror or error}.") from None


def _loaded(path: Path) -> Bundle:
    folder = path / "bundle" if (path / "bundle" / MANIFEST).is_file() else path
    if not (folder / MANIFEST).is_file():
        raise BundleError(
            f"{path} holds no bundle: {MANIFEST} is missing. Name a bundle folder, or a run "
            "folder whose training has ended."
        )
    manifest = read_manifest(folder)
    needed = needed_files(manifest.runner)
    missing = [name for name in needed if not (folder / name).is_file()]
    if missing:
        raise BundleError(
            f"The bundle {folder} lacks {', '.join(missing)}. Train or copy it again."
        )
    check_files(folder, manifest.files)
    unlisted = [name for name in needed if manifest.files and name not in manifest.files]
    if unlisted:
        raise BundleError(
            f"{folder / MANIFEST} has no hash of {', '.join(unlisted)} although it has of others. "
            "Train or copy the bundle again."
        )
    return Bundle(folder, manifest)


def read_manifest(folder: Path, *, most_faults: int = _MOST_FAULTS) -> BundleManifest:
    """Return what `bundle.json` in `folder` says.

    Raises:
        BundleError: If it is broken, or of another schema version; with at most so many faults.
    """
    path = folder / MANIFEST
    try:
        content = json.loads(read_file_of(folder, MANIFEST).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path} is not JSON: {str(error)[:200]}.") from None
    version = content.get("schema_version") if isinstance(content, dict) else None
    if version not in range(OLDEST_SCHEMA_VERSION, SCHEMA_VERSION + 1):
        raise BundleError(
            f"The bundle {path.parent} has schema version {version}; this program reads "
            f"{OLDEST_SCHEMA_VERSION} to {SCHEMA_VERSION}. Use the version of finding-nemo that "
            "wrote it, or train again."
        )
    _check_form(content, path)
    content = {**with_current_names(content), "schema_version": SCHEMA_VERSION}
    try:
        manifest = BundleManifest.build(content, source=str(path))
        _check_sense(manifest)
    except (SettingsError, DatasetError) as error:
        raise BundleError(_shortened(str(error), most_faults)) from None
    return manifest


def _shortened(message: str, most: int) -> str:
    lines = [printable(line)[:_LONGEST_LINE] for line in message.split("\n")]
    more = len(lines) - 1 - most
    return "\n".join([*lines[: most + 1], *([f"  - and {more} more"] if more > 0 else [])])


def _check_form(content: Any, path: Path) -> None:  # noqa: ANN401 - JSON is of any type
    """Refuse what is nested without end, or holds text that cannot be written again."""
    if any(depth > _DEEPEST for depth in _depths(content)):
        raise BundleError(f"{path} is nested more than {_DEEPEST} deep. Train or copy it again.")
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise BundleError(f"{path} holds text that is no Unicode: {error.reason}.") from None


def _depths(content: Any) -> Iterator[int]:  # noqa: ANN401 - JSON is of any type
    waiting = [(content, 0)]
    while waiting:
        value, depth = waiting.pop()
        yield depth
        if depth > _DEEPEST:
            return
        inner = value.values() if isinstance(value, dict) else value
        if isinstance(value, dict | list):
            waiting += [(each, depth + 1) for each in inner]


def _check_sense(manifest: BundleManifest) -> None:
    """Refuse a manifest whose parts contradict each other."""
    table_of(manifest)
    train = manifest.split.parts.get("train")
    if manifest.runner == "prior" and (
        train is None or any(entry.n_images > train.n_images for entry in manifest.categories)
    ):
        n_images = "no" if train is None else train.n_images
        raise DatasetError(
            f"bundle.json says that a category is in more training images than there are "
            f"({n_images}). Train or copy the bundle again."
        )


def table_of(manifest: BundleManifest) -> CategoryTable:
    """Return the category table in column order.

    Raises:
        DatasetError: If it is empty or an id stands twice.
    """
    return CategoryTable(
        tuple(
            Category(entry.category_id, entry.name, entry.supercategory)
            for entry in manifest.categories
        )
    )


def write_bundle(
    folder: Path,
    manifest: BundleManifest,
    *,
    weights: Tensors,
    novelty: Tensors,
    network: bytes | None = None,
) -> Bundle:
    """Write a bundle, whole or not at all, and return it.

    Args:
        folder: Where; an earlier bundle there is replaced.
        manifest: What `bundle.json` says.
        weights: The tensors of `weights.safetensors`.
        novelty: The tensors of `novelty.safetensors`.
        network: The bytes of `model.onnx`, where the runner is a network.

    Raises:
        NoSpaceError: If the disk is full.
    """
    partial = folder.with_name(f".{folder.name}.partial")
    # Bytes, not `save_file`: that makes files that only their owner may read, whatever the umask.
    contents = {WEIGHTS: save(_contiguous(weights)), NOVELTY: save(_contiguous(novelty))}
    if network is not None:
        contents[NETWORK] = network
    files = {name: record_of_file(content) for name, content in contents.items()}
    listed = manifest.model_copy(update={"files": files})
    with raise_no_space(folder):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        (partial / MANIFEST).write_text(_manifest_text(listed), encoding="utf-8")
        (partial / MODEL_CARD).write_text(model_card(manifest), encoding="utf-8")
        for name, content in contents.items():
            (partial / name).write_bytes(content)
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    return Bundle(folder, listed)


def _manifest_text(manifest: BundleManifest) -> str:
    return manifest.model_dump_json(indent=2) + "\n"


def list_files(bundle: Bundle, *names: str) -> Bundle:
    """Let `bundle.json` list the hashes of `names` as they are now, and return the bundle so.

    A file that is no longer there is no longer listed. A bundle of an earlier version, which lists
    none, stays as it is: what nobody has verified must not look verified.
    """
    known = bundle.manifest.files
    if not known:
        return bundle
    kept = {name: record for name, record in known.items() if name not in names}
    files = kept | records_of_files(bundle.path, names)
    return _with_files(bundle, files)


def unlist_files(bundle: Bundle, *names: str) -> Bundle:
    """Let `bundle.json` list `names` no more, before they are written anew.

    If that is cut short, the bundle opens as if they had never been there.
    """
    files = {name: record for name, record in bundle.manifest.files.items() if name not in names}
    return bundle if files == bundle.manifest.files else _with_files(bundle, files)


def _with_files(bundle: Bundle, files: Mapping[str, FileRecord]) -> Bundle:
    # All else stays as it is in the file, names of an earlier version too: it is hashed.
    content = json.loads(read_file_of(bundle.path, MANIFEST).decode("utf-8"))
    content["files"] = {name: record.model_dump() for name, record in files.items()}
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    write_text(bundle.path / MANIFEST, text)
    return Bundle(bundle.path, bundle.manifest.model_copy(update={"files": dict(files)}))


def _contiguous(tensors: Tensors) -> dict[str, npt.NDArray[Any]]:
    return {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}


def bundle_hash(path: Path) -> str:
    """Return one SHA-256 for all that a bundle predicts with.

    It covers the tensors, the network, the numbers of the adaptation, and the manifest except
    `provenance` (which holds the time) and `files` (hashes of what it covers); the model card
    repeats the manifest and is left out. Two trainings with the same
    settings, data and seed on one machine have the same hash.
    """
    content = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    for key in ("provenance", "files"):
        content.pop(key, None)
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode())
    for name in (WEIGHTS, NOVELTY, NETWORK, INT8_NETWORK, ADAPTATION):
        if (path / name).is_file():
            digest.update(f"{name}:{hash_file(path / name)}".encode())
    return digest.hexdigest()
