"""Export a bundle's network for a runtime, and measure on real frames what that costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import Float32s
from finding_nemo.core.errors import BundleError, ExportError, SplitError
from finding_nemo.core.files.atomic_files import atomic_write
from finding_nemo.core.files.output_checks import check_output_file
from finding_nemo.core.names.inference_names import (
    BFLOAT16,
    EXPORT_TARGETS,
    FLOAT32,
    INT8,
    ONNXRUNTIME,
    RUNTIMES,
    Dtype,
    RuntimeName,
)
from finding_nemo.core.prefetch import prefetch_map
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.processes.cores import usable_cores
from finding_nemo.core.provenance import library_versions
from finding_nemo.core.records import Dataset, ImageRecord, Split
from finding_nemo.core.reporter import Reporter
from finding_nemo.core.text.plurals import in_number
from finding_nemo.metrics.ranking import map_at_k
from finding_nemo.models.bundle.bundle import Bundle, list_files, unlist_files
from finding_nemo.models.bundle.bundle_files import EXPORTS, INT8_NETWORK, NETWORK
from finding_nemo.models.bundle.export_records import (
    ExportRecord,
    read_export_records,
    write_export_records,
)
from finding_nemo.models.inference.open_bundle_network import checked_network
from finding_nemo.models.inference.runtime_choice import (
    choose_runtime,
    open_network,
    runtime_of,
)
from finding_nemo.models.onnx_export.quantize import quantise_onnx
from finding_nemo.prediction.sources.prepared_image import prepare_image

Frames = Sequence[npt.NDArray[np.uint8]]

# The bars. MAP@20 is what the model is for; a probability off by a quarter misleads a reader.
ALLOWED_MAP_AT_20_LOSS = 0.005
ALLOWED_PROBABILITY_CHANGE = 0.25
_MOST_CHECKED = 1000
_MOST_CALIBRATED = 300


@dataclass(frozen=True)
class JudgedFrames:
    """Real frames at the network's size, with the truth.

    Attributes:
        records: The frames that could be decoded.
        pixels: Theirs, uint8 (height, width, 3) each.
        truth: Boolean, shape (frames, categories).
    """

    records: tuple[ImageRecord, ...]
    pixels: Frames
    truth: npt.NDArray[np.bool_]

    @property
    def n_dives(self) -> int:
        """How many dives they come from."""
        return len({record.dive_or_own for record in self.records})


def export_bundle(
    bundle: Bundle, dataset: Dataset, split: Split, *, to: str, int8: bool, reporter: Reporter
) -> tuple[ExportRecord, ...]:
    """Check every precision that `to` offers here on validation frames, and keep what passes.

    Args:
        bundle: Whose runner is a network.
        dataset: What it was trained on, with the image files.
        split: How that was divided.
        to: The runtime, a name of `EXPORT_TARGETS`.
        int8: Whether an int8 network is made, calibrated on training frames.
        reporter: Told of each measurement.

    Raises:
        BundleError: If the bundle has no network.
        OutputError: If the bundle's folder cannot be written.
        ExportError: If a precision loses more than the bars allow; the rest is kept.
        SettingsError: If the runtime is not installed.
        SplitError: If there are no frames to measure on.
    """
    if bundle.manifest.runner != "network":
        raise BundleError(f"The bundle {bundle.path} opens no image: it has no network to export.")
    check_output_file(bundle.path / EXPORTS, overwrite=True)
    runtime = EXPORT_TARGETS[to].name
    choice = choose_runtime(dtype=FLOAT32, runtime=runtime)
    spec = bundle.preprocessing
    evaluation_set = _align(dataset, _unseen(dataset, split), spec)
    network = checked_network(bundle)
    exact = _probabilities(bundle, network, evaluation_set.pixels, FLOAT32, ONNXRUNTIME)
    measure = _Measure(bundle, evaluation_set, exact, runtime)
    dtypes: list[Dtype] = [FLOAT32]
    if runtime_of(runtime).computes(BFLOAT16, choice.device):
        dtypes.append(BFLOAT16)
    records = [measure.record(network, dtype) for dtype in dtypes]
    # What is written anew is not listed meanwhile: if this is stopped, the bundle still opens.
    names = (EXPORTS, INT8_NETWORK) if int8 else (EXPORTS,)
    bundle = unlist_files(bundle, *names)
    if int8:
        calibration = _align(dataset, _trained(dataset, split), spec)
        records.append(_make_int8(measure, network, calibration, spec))
    _remember(bundle, records, reporter)
    bundle = list_files(bundle, *names)
    _write_networks(bundle, runtime, reporter)
    _refuse(records)
    return tuple(records)


def _write_networks(bundle: Bundle, runtime: RuntimeName, reporter: Reporter) -> None:
    """Write the networks in the runtime's own form, if it has one."""
    networks = {NETWORK: checked_network(bundle)}
    if bundle.holds_int8:
        networks[INT8_NETWORK] = checked_network(bundle, INT8)
    for path in runtime_of(runtime).save(bundle.path, networks, bundle.preprocessing):
        reporter.message(f"wrote {path}: uint8 pixels (1, height, width, 3) in, normalised inside.")


def _remember(bundle: Bundle, records: Sequence[ExportRecord], reporter: Reporter) -> None:
    known = read_export_records(bundle.path)
    for record in records:
        reporter.message(_in_words(record))
        known = known.having(record)
    write_export_records(bundle.path, known)


def _refuse(records: Sequence[ExportRecord]) -> None:
    refused = [record for record in records if not record.is_good_enough]
    if refused:
        raise ExportError(
            f"Refused: {'; '.join(_in_words(record) for record in refused)}. Allowed are a loss of "
            f"{ALLOWED_MAP_AT_20_LOSS} and a change of {ALLOWED_PROBABILITY_CHANGE}. Predictions "
            "go on in what passed."
        )


def _in_words(record: ExportRecord) -> str:
    return (
        f"{record.dtype} on {record.runtime}: MAP@20 {record.map_at_20:.4f}, "
        f"{record.map_at_20_change:+.4f} against float32, largest probability change "
        f"{record.largest_probability_change:.2g}, on {in_number(record.n_images, 'frame')} of "
        f"{in_number(record.n_dives, 'dive')}"
    )


@dataclass(frozen=True)
class _Measure:
    bundle: Bundle
    evaluation_set: JudgedFrames
    exact: Float32s
    runtime: RuntimeName

    def record(
        self, network: bytes, dtype: Dtype, calibration: JudgedFrames | None = None
    ) -> ExportRecord:
        """Return how a network does in a precision on this runtime."""
        found = _probabilities(
            self.bundle, network, self.evaluation_set.pixels, dtype, self.runtime
        )
        change = np.abs(found - self.exact)
        return ExportRecord(
            runtime=self.runtime,
            dtype=dtype,
            n_images=len(self.evaluation_set.records),
            n_dives=self.evaluation_set.n_dives,
            map_at_20_float32=map_at_k(self.evaluation_set.truth, self.exact, k=20),
            map_at_20=map_at_k(self.evaluation_set.truth, found, k=20),
            largest_probability_change=float(change.max()),
            mean_probability_change=float(change.mean()),
            n_calibration_images=len(calibration.records) if calibration else 0,
            n_calibration_dives=calibration.n_dives if calibration else 0,
            allowed_map_at_20_loss=ALLOWED_MAP_AT_20_LOSS,
            allowed_probability_change=ALLOWED_PROBABILITY_CHANGE,
            libraries=library_versions(*RUNTIMES),
        )


def _make_int8(
    measure: _Measure, network: bytes, calibration: JudgedFrames, preprocessing: Preprocessing
) -> ExportRecord:
    """Quantise, measure, and keep the file only if it is good enough."""
    bundle = measure.bundle
    made = bundle.int8_path.with_name(f".{bundle.int8_path.name}")
    try:
        quantise_onnx(network, calibration.pixels, preprocessing, made)
        record = measure.record(made.read_bytes(), INT8, calibration)
        if record.is_good_enough:
            with atomic_write(bundle.int8_path) as partial:
                made.replace(partial)
    finally:
        made.unlink(missing_ok=True)
    return record


def _probabilities(
    bundle: Bundle, content: bytes, pixels: Frames, dtype: Dtype, runtime: RuntimeName
) -> Float32s:
    spec = bundle.preprocessing
    network = open_network(content, spec, dtype=dtype, runtime=runtime)
    seen = prefetch_map(
        lambda image: network.forward(image[np.newaxis]).outputs, pixels, threads=network.workers
    )
    return bundle.to_probabilities(np.concatenate(list(seen)))


def _unseen(dataset: Dataset, split: Split) -> list[ImageRecord]:
    """Return frames that the model did not learn from: validation, else test."""
    part = next((name for name in ("val", "test") if name in split.parts), None)
    if part is None:
        raise SplitError("The split has no part val or test: nothing to measure an export on.")
    known = [dataset.by_id[image_id] for image_id in split.ids_in(part)]
    return over_dives([record for record in known if record.category_ids], _MOST_CHECKED)


def _trained(dataset: Dataset, split: Split) -> list[ImageRecord]:
    known = [dataset.by_id[image_id] for image_id in split.training_ids_for("test")]
    return over_dives(known, _MOST_CALIBRATED)


def over_dives(records: Sequence[ImageRecord], n_images: int) -> list[ImageRecord]:
    """Return up to `n_images` records, one of each dive, then a second of each, and so on.

    Within a dive the first ones are spread: frame after frame shows the same animal.
    """
    by_dive: dict[str, list[ImageRecord]] = {}
    for record in records:
        by_dive.setdefault(record.dive_or_own, []).append(record)
    spread = [_spread(dive) for dive in by_dive.values()]
    rounds = chain.from_iterable(zip_longest(*spread))
    return [record for record in rounds if record is not None][:n_images]


def _spread(records: Sequence[ImageRecord]) -> list[ImageRecord]:
    """Return the middle, then the middles of both halves, and so on."""
    order: list[ImageRecord] = []
    spans = [(0, len(records))]
    while spans:
        start, end = spans.pop(0)
        if start < end:
            middle = (start + end) // 2
            order.append(records[middle])
            spans += [(start, middle), (middle + 1, end)]
    return order


def _align(
    dataset: Dataset, records: Sequence[ImageRecord], preprocessing: Preprocessing
) -> JudgedFrames:
    decoded = prefetch_map(
        lambda record: prepare_image(record.path, preprocessing, in_threads=True),
        records,
        threads=usable_cores(),
    )
    pairs = [
        (record, image.pixels)
        for record, image in zip(records, decoded, strict=True)
        if image.pixels is not None
    ]
    if not pairs:
        raise SplitError(
            f"None of the {len(records)} frames that the export needs can be read. Give the data "
            "set with its images: --dataset DATASET --images FOLDER."
        )
    kept = tuple(record for record, _ in pairs)
    return JudgedFrames(kept, [pixels for _, pixels in pairs], dataset.truth(kept))
