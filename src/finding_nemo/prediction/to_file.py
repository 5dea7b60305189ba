"""Predict images into a file, with the story of how it came to be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from finding_nemo.core.provenance import command_line, library_versions, now_utc, package_version
from finding_nemo.core.records import Prediction
from finding_nemo.models.bundle import Bundle, bundle_hash
from finding_nemo.models.bundle_network import PrecisionWish
from finding_nemo.models.engine import Runtime
from finding_nemo.prediction.inputs import ImageInput
from finding_nemo.prediction.predictor import Move, Predictor, counted
from finding_nemo.results.schema import SCHEMA_VERSION
from finding_nemo.results.writers import Format, write_predictions


@dataclass
class PredictionSummary:
    """What happened to the images of one run.

    Attributes:
        n_images: Rows written.
        failures: How many images failed for each reason.
        first_failures: The first few failed files with their reason.
    """

    n_images: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    first_failures: list[str] = field(default_factory=list)

    @property
    def n_failed(self) -> int:
        """How many images could not be used."""
        return self.failures.total()


def predict_to_file(
    bundle: Bundle,
    inputs: Sequence[ImageInput],
    out: Path,
    *,
    file_format: Format = "parquet",
    with_vector: bool = True,
    overwrite: bool = False,
    move: Move | None = None,
    precision: PrecisionWish = "auto",
    runtime: Runtime = "auto",
    tell: Callable[[str], None] | None = None,
) -> PredictionSummary:
    """Predict `inputs` into `out`, one row an image, in order.

    Args:
        bundle: The trained model.
        inputs: From `collect_images`.
        out: The file; it appears when it is whole.
        file_format: "parquet", "csv", "jsonl" or "submission".
        with_vector: Whether every probability is kept (Parquet and JSONL).
        overwrite: Whether an existing file may be replaced.
        move: Told of the progress: images done, in all, failed.
        precision: Of the network's arithmetic; "auto" takes the fastest that was checked.
        runtime: What computes the network.
        tell: Told what was chosen, and why.

    Raises:
        OutputExistsError: If `out` exists and `overwrite` is false.
        NoSpaceError: If the disk is full.
    """
    started = now_utc()
    summary = PredictionSummary()
    predictor = Predictor(bundle, precision=precision, runtime=runtime)
    if tell is not None and predictor.network is not None:
        tell(f"network: {predictor.network.choice}.")
    predictions = predictor.predict(inputs)
    if move is not None:
        predictions = counted(predictions, len(inputs), move)
    write_predictions(
        _summed(predictions, summary),
        out,
        category_ids=bundle.categories.ids,
        metadata=lambda: _story(predictor, started, summary),
        fallback_ids=_most_frequent_first(bundle),
        file_format=file_format,
        with_vector=with_vector,
        overwrite=overwrite,
    )
    return summary


def _summed(predictions: Iterator[Prediction], summary: PredictionSummary) -> Iterator[Prediction]:
    for prediction in predictions:
        summary.n_images += 1
        if prediction.failure is not None:
            summary.failures[prediction.failure] += 1
            if len(summary.first_failures) < 3:
                summary.first_failures.append(f"{prediction.path}: {prediction.failure}")
        yield prediction


def _most_frequent_first(bundle: Bundle) -> list[int]:
    evidence = bundle.manifest.categories
    ranked = sorted(evidence, key=lambda category: -category.n_images)
    return [category.category_id for category in ranked]


def _story(predictor: Predictor, started: str, summary: PredictionSummary) -> dict[str, Any]:
    bundle, network = predictor.bundle, predictor.network
    manifest = bundle.manifest
    return {
        "schema_version": SCHEMA_VERSION,
        "version": package_version(),
        "command": command_line(),
        "started": started,
        "ended": now_utc(),
        "bundle_hash": bundle_hash(bundle.path),
        "recipe": manifest.recipe,
        "settings": manifest.settings,
        "novelty": "one minus the largest probability",
        "libraries": library_versions("numpy", "onnxruntime", "openvino", "pillow", "pyarrow"),
        "network": None if network is None else asdict(network.choice),
        "n_images": summary.n_images,
        "failures": dict(summary.failures),
        "categories": [category.model_dump() for category in manifest.categories],
    }
