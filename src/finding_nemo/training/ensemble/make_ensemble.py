"""Several trained bundles as one, which gives the weighted mean of what they say."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import Float32s
from finding_nemo.core.files.atomic_files import new_output_folder
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.provenance import dataset_provenance, now_utc, run_provenance
from finding_nemo.core.records import Dataset, ImageRecord, Split
from finding_nemo.core.reporter import Tell, tell_nobody
from finding_nemo.data.splits.split_csv import write_split
from finding_nemo.models.bundle.bundle import Bundle, bundle_hash, write_bundle
from finding_nemo.models.bundle.manifest import BundleManifest
from finding_nemo.models.bundle.uncertainty_tensors import uncertainty_tensors
from finding_nemo.models.inference.onnxruntime_network import OnnxNetwork
from finding_nemo.models.inference.open_bundle_network import checked_network
from finding_nemo.models.inference.runtime_choice import open_network
from finding_nemo.models.onnx_export.ensemble_graph import Member, join_networks
from finding_nemo.training.ensemble.ensemble_members import check_members, check_out, shares_of
from finding_nemo.training.examples.cached_inputs import CachedInputs, cache_pixels, tell_unusable
from finding_nemo.training.examples.partition import Partition, make_partition
from finding_nemo.training.loop.progress import image_ticks
from finding_nemo.training.packaging.batch_inference import infer_with_runtime
from finding_nemo.training.packaging.fit_uncertainty import (
    fit_uncertainty,
    in_words,
    with_validation,
)
from finding_nemo.training.packaging.parity import check_says, parity_images
from finding_nemo.training.packaging.validation_summary import summarize_validation
from finding_nemo.training.train_recipe import TrainedRun

_LIBRARIES = ("numpy", "onnx", "onnxruntime", "openvino", "pillow")


def make_ensemble(
    bundles: Sequence[Bundle],
    dataset: Dataset,
    split: Split,
    *,
    out: Path,
    shares: Sequence[float] | None = None,
    overwrite: bool = False,
    notify: Tell | None = None,
    show_progress: bool = False,
) -> TrainedRun:
    """Write one bundle of several to `out`/bundle; it predicts like any other.

    Its logits are the weighted mean of theirs, its features theirs side by side. Novelty and
    calibration are fitted anew, on the validation images that none of them was trained on.

    Args:
        bundles: Trained with the same split, at the same size of frames.
        dataset: What they were trained on.
        split: How it was divided.
        out: The run folder to make.
        shares: Weights above 0, one a bundle; by default alike.
        overwrite: Whether an earlier run in `out` may be replaced.
        notify: Told each choice with its reason.
        show_progress: Whether progress bars are drawn on stderr.

    Raises:
        BundleError: If the bundles do not fit together; the message lists every reason.
        OutputExistsError: If `out` is occupied and `overwrite` is not set.
        SettingsError: If the shares do not fit.
        SplitError: If the split does not fit the data set.
    """
    started, tell = now_utc(), notify or tell_nobody
    weights = shares_of(bundles, shares)
    check_members(bundles, split)
    check_out(bundles, out)
    partition = make_partition(dataset, split, fold=None, seed=0, notify=tell)
    with new_output_folder(out, overwrite=overwrite):
        write_split(split, out / "split.csv")
        members = [
            _member(bundle, weight, tell) for bundle, weight in zip(bundles, weights, strict=True)
        ]
        ready = _ready(partition, members[0].preprocessing, tell, show_progress=show_progress)
        bundle = _write(
            out / "bundle",
            bundles,
            members,
            partition,
            ready,
            started,
            tell,
            show_progress=show_progress,
        )
        _check(bundle, members, ready[0].records, tell)
    return TrainedRun(out, bundle, (), bundle_hash(bundle.path))


def _member(bundle: Bundle, share: float, tell: Tell) -> Member:
    tell(f"member {bundle.manifest.recipe}, {100 * share:.0f} %: {bundle.path}.")
    return Member(checked_network(bundle), bundle.preprocessing, share)


def _ready(
    partition: Partition, spec: Preprocessing, tell: Tell, *, show_progress: bool
) -> tuple[CachedInputs, CachedInputs]:
    """Return training and validation images at the members' size."""
    with image_ticks("reading images", shown=show_progress) as tick:
        train, val = (
            cache_pixels(part, spec, tick=tick) for part in (partition.train, partition.val)
        )
    tell_unusable(train, val, tell)
    return train, val


def _check(
    bundle: Bundle, members: Sequence[Member], records: Sequence[ImageRecord], tell: Tell
) -> None:
    largest = check_says(
        bundle,
        _mean(members, records),
        parity_images(records, bundle.preprocessing),
        source="the mean of its members",
    )
    tell(f"the ensemble equals the mean of its members to {largest:.1e} in its logits.")


def _mean(members: Sequence[Member], records: Sequence[ImageRecord]) -> Float32s:
    """Return the mean of the members' logits, each from the images as it expects them."""
    said = [
        np.float32(member.share)
        * OnnxNetwork(member.network).outputs(parity_images(records, member.preprocessing))
        for member in members
    ]
    mean: Float32s = np.sum(said, axis=0, dtype=np.float32)
    return mean


def _write(
    folder: Path,
    bundles: Sequence[Bundle],
    members: Sequence[Member],
    partition: Partition,
    ready: tuple[CachedInputs, CachedInputs],
    started: str,
    tell: Tell,
    *,
    show_progress: bool,
) -> Bundle:
    """Fit what stands beside the network, and write the bundle."""
    first = bundles[0].manifest
    train, val = ready
    train_truth, val_truth = (partition.dataset.truth(inputs.records) for inputs in ready)
    network = join_networks(members)
    with image_ticks("looking once more", shown=show_progress) as tick:
        opened = open_network(network, members[0].preprocessing)
        infer = partial(infer_with_runtime, opened, tick=tick)
        output = infer(val.rows, np.arange(len(val.rows)))
        uncertainty = fit_uncertainty(
            train, val, output,
            truths=(train_truth, val_truth),
            evidence=first.categories, activation="sigmoid", infer=infer, notify=tell,
        )  # fmt: skip
    manifest = BundleManifest(
        recipe=" + ".join(bundle.manifest.recipe for bundle in bundles),
        runner="network",
        activation="sigmoid",
        settings={"members": _settings(bundles, members)},
        categories=with_validation(first.categories, val_truth, output.outputs),
        preprocessing=members[0].preprocessing,
        split=first.split,
        validation=summarize_validation(val.records, val_truth, output.outputs, train_truth),
        calibration=in_words(uncertainty.calibration),
        provenance={
            **run_provenance(started, *_LIBRARIES),
            **dataset_provenance(partition.dataset, folder.parent),
        },
    )
    return write_bundle(
        folder,
        manifest,
        weights=_weights(bundles),
        novelty=uncertainty_tensors(uncertainty),
        network=network,
    )


def _weights(bundles: Sequence[Bundle]) -> dict[str, npt.NDArray[Any]]:
    return {
        f"member{number}.{name}": tensor
        for number, bundle in enumerate(bundles)
        for name, tensor in bundle.weights.items()
    }


def _settings(bundles: Sequence[Bundle], members: Sequence[Member]) -> list[dict[str, Any]]:
    return [
        {
            "recipe": bundle.manifest.recipe,
            "share": member.share,
            "hash": bundle_hash(bundle.path),
            "settings": bundle.manifest.settings,
        }
        for bundle, member in zip(bundles, members, strict=True)
    ]
