"""Several trained bundles as one, which gives the weighted mean of what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import Float32s
from finding_nemo.core.files.atomic_files import new_output_folder
from finding_nemo.core.names.inference_names import RUNTIMES
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.provenance import dataset_provenance, now_utc, run_provenance
from finding_nemo.core.records import Dataset, ImageRecord, Split
from finding_nemo.core.reporter import ProgressCallback, Reporter
from finding_nemo.data.splits.split_csv import write_split
from finding_nemo.models.bundle.bundle import Bundle, bundle_hash, write_bundle
from finding_nemo.models.bundle.manifest import BundleManifest
from finding_nemo.models.bundle.uncertainty_tensors import uncertainty_tensors
from finding_nemo.models.inference.onnxruntime_network import OnnxNetwork
from finding_nemo.models.inference.open_bundle_network import checked_network
from finding_nemo.models.inference.runtime_choice import open_network
from finding_nemo.models.onnx_export.ensemble_graph import Member, join_networks
from finding_nemo.models.weights_origin import distinct_origins
from finding_nemo.training.ensemble.ensemble_members import check_members, check_out, shares_of
from finding_nemo.training.examples.cached_inputs import CachedInputs, cache_pixels, tell_unusable
from finding_nemo.training.examples.partition import Partition, make_partition
from finding_nemo.training.loop.trained_run import TrainedRun
from finding_nemo.training.packaging.batch_inference import infer_with_runtime
from finding_nemo.training.packaging.fit_uncertainty import (
    fit_uncertainty,
    in_words,
    with_validation,
)
from finding_nemo.training.packaging.parity import check_outputs, parity_images
from finding_nemo.training.packaging.validation_summary import summarize_validation

_LIBRARIES = ("numpy", "onnx", *RUNTIMES, "pillow")


def make_ensemble(
    bundles: Sequence[Bundle],
    dataset: Dataset,
    split: Split,
    *,
    out: Path,
    shares: Sequence[float] | None = None,
    overwrite: bool = False,
    reporter: Reporter | None = None,
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
        reporter: Told each choice with its reason, and progress.

    Raises:
        BundleError: If the bundles do not fit together; the message lists every reason.
        OutputExistsError: If `out` is occupied and `overwrite` is not set.
        SettingsError: If the shares do not fit.
        SplitError: If the split does not fit the data set.
    """
    started, reporter = now_utc(), reporter or Reporter()
    asked = check_ensemble(bundles, dataset, split, out=out, shares=shares, reporter=reporter)
    with new_output_folder(out, overwrite=overwrite):
        write_split(split, out / "split.csv")
        members = [
            _member(bundle, weight, reporter)
            for bundle, weight in zip(bundles, asked.shares, strict=True)
        ]
        inputs = _inputs(asked.partition, asked.preprocessing, reporter)
        joining = _Joining(bundles, members, asked.partition, inputs, reporter)
        with reporter.progress("calibrating on validation images") as progress:
            bundle = joining.write(out / "bundle", started, progress)
        joining.check(bundle)
    return TrainedRun(out, bundle, (), bundle_hash(bundle.path))


@dataclass(frozen=True)
class AskedEnsemble:
    """Bundles that can be joined.

    Attributes:
        shares: Weight of each, with sum 1.
        partition: What is fitted on, and calibrated on.
        preprocessing: What all of them expect of an image.
    """

    shares: Sequence[float]
    partition: Partition
    preprocessing: Preprocessing


def check_ensemble(
    bundles: Sequence[Bundle],
    dataset: Dataset,
    split: Split,
    *,
    out: Path,
    shares: Sequence[float] | None,
    reporter: Reporter,
) -> AskedEnsemble:
    """Return what `make_ensemble` begins with; nothing is written.

    See `make_ensemble` for the arguments.

    Raises:
        BundleError: If the bundles do not fit together; the message lists every reason.
        SettingsError: If the shares do not fit, or `out` holds a member.
        SplitError: If the split does not fit the data set.
    """
    weights = shares_of(bundles, shares)
    check_members(bundles, split)
    check_out(bundles, out)
    partition = make_partition(dataset, split, fold=None, seed=0, reporter=reporter)
    return AskedEnsemble(weights, partition, bundles[0].preprocessing)


def _member(bundle: Bundle, share: float, reporter: Reporter) -> Member:
    reporter.message(f"member {bundle.manifest.recipe}, {100 * share:.0f} %: {bundle.path}.")
    return Member(checked_network(bundle), bundle.preprocessing, share)


def _inputs(
    partition: Partition, spec: Preprocessing, reporter: Reporter
) -> tuple[CachedInputs, CachedInputs]:
    """Return training and validation images at the members' size."""
    with reporter.progress("reading images") as progress:
        train, val = (
            cache_pixels(part, spec, progress=progress) for part in (partition.train, partition.val)
        )
    tell_unusable(train, val, reporter)
    return train, val


@dataclass(frozen=True)
class _Joining:
    """Several bundles on their way into one."""

    bundles: Sequence[Bundle]
    members: Sequence[Member]
    partition: Partition
    inputs: tuple[CachedInputs, CachedInputs]
    reporter: Reporter

    def write(self, folder: Path, started: str, progress: ProgressCallback) -> Bundle:
        """Fit what stands beside the network, and write the bundle."""
        first, spec = self.bundles[0].manifest, self.members[0].preprocessing
        train, val = self.inputs
        train_truth, val_truth = (
            self.partition.dataset.truth(inputs.records) for inputs in self.inputs
        )
        network = join_networks(self.members)
        infer = partial(infer_with_runtime, open_network(network, spec), progress=progress)
        output = infer(val.rows, np.arange(len(val.rows)))
        uncertainty = fit_uncertainty(
            train,
            val,
            output,
            truths=(train_truth, val_truth),
            evidence=first.categories,
            activation="sigmoid",
            infer=infer,
            reporter=self.reporter,
        )
        manifest = BundleManifest(
            recipe=" + ".join(bundle.manifest.recipe for bundle in self.bundles),
            runner="network",
            activation="sigmoid",
            settings={"members": _settings(self.bundles, self.members)},
            categories=with_validation(first.categories, val_truth, output.outputs),
            preprocessing=spec,
            split=first.split,
            validation=summarize_validation(
                val.records, val_truth, output.outputs, train_truth, uncertainty=uncertainty
            ),
            calibration=in_words(uncertainty.calibration),
            weights_origins=distinct_origins(
                [bundle.manifest.weights_origins for bundle in self.bundles]
            ),
            provenance={
                **run_provenance(started, *_LIBRARIES),
                **dataset_provenance(self.partition.dataset, folder.parent),
            },
        )
        return write_bundle(
            folder,
            manifest,
            weights=_weights(self.bundles),
            novelty=uncertainty_tensors(uncertainty),
            network=network,
        )

    def check(self, bundle: Bundle) -> None:
        """Check that the bundle gives the mean of its members, from image files."""
        records = self.inputs[0].records
        largest = check_outputs(
            bundle,
            _mean(self.members, records),
            parity_images(records, bundle.preprocessing),
            source="the mean of its members",
        )
        self.reporter.message(
            f"the ensemble equals the mean of its members to {largest:.1e} in its logits."
        )


def _mean(members: Sequence[Member], records: Sequence[ImageRecord]) -> Float32s:
    """Return the mean of the members' logits, each from the images as it expects them."""
    weighted = [
        np.float32(member.share)
        * OnnxNetwork(member.network).outputs(parity_images(records, member.preprocessing))
        for member in members
    ]
    mean: Float32s = np.sum(weighted, axis=0, dtype=np.float32)
    return mean


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
