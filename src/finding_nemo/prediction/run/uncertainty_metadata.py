"""What a predictions file says of its bundle: origin, novelty, calibration, thresholds, sets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from finding_nemo.core.text.printable import printable
from finding_nemo.models.bundle.adaptation_numbers import adaptation_numbers
from finding_nemo.models.bundle.bundle import Bundle, bundle_hash
from finding_nemo.models.weights_origin import METADATA_KEY
from finding_nemo.prediction.postprocess import SET_RISK, PostProcessor
from finding_nemo.results.schema import ADAPTATION_SETTINGS, SCHEMA_VERSION
from finding_nemo.uncertainty.answers import WANTED, AnswerBars
from finding_nemo.uncertainty.operating_points import OperatingPoint
from finding_nemo.uncertainty.unseen_prior import ABOUT


def uncertainty_metadata(postprocessor: PostProcessor | None) -> dict[str, Any]:
    """Return JSON-ready values; `postprocessor` is `None` for what opens no image."""
    if postprocessor is None:
        return {"novelty": "one minus the largest probability"}
    metadata: dict[str, Any] = {
        "novelty": f"{postprocessor.default_score}, higher = further out; unusualness is the "
        "share of validation images, of dives that training never saw, that are less far out",
        "novelty_score": postprocessor.default_score,
        "novelty_scores": list(postprocessor.score_names),
        "calibration": postprocessor.calibration,
        "ranking": postprocessor.ranking,
        "unseen_categories": ABOUT,
    }
    limits = postprocessor.thresholds
    if limits is not None:
        metadata["precision"] = limits.precision
        metadata["operating_points"] = _points(limits.categories)
        metadata["supercategories"] = list(limits.groups)
        metadata["supercategory_points"] = _points(limits.supercategories)
        metadata["set_threshold"] = limits.set_threshold
        metadata["set_risk"] = SET_RISK
        metadata["answer_bars"] = _bars(limits.answer_bars)
    return metadata


def bundle_metadata(bundle: Bundle, postprocessor: PostProcessor | None) -> dict[str, Any]:
    """Return what predictions of a bundle say of it, wherever they were made, JSON-ready."""
    numbers = adaptation_numbers(bundle)
    return {
        "schema_version": SCHEMA_VERSION,
        "bundle_hash": bundle_hash(bundle.path),
        **origin_of(bundle),
        "settings": bundle.manifest.settings,
        "categories": evidence_of(bundle),
        **({} if numbers is None else {ADAPTATION_SETTINGS: numbers}),
    } | uncertainty_metadata(postprocessor)


def origin_of(bundle: Bundle) -> dict[str, Any]:
    """Return what people call a bundle, what it was trained on and started from, JSON-ready."""
    folder = bundle.path.absolute()
    name = folder.parent.name if folder.name == "bundle" else folder.name
    part = bundle.manifest.split.parts.get("train")
    origins = bundle.manifest.weights_origins
    return {
        "recipe": bundle.manifest.recipe,
        "bundle_name": printable(name),
        "training": None if part is None else part.model_dump(),
        METADATA_KEY: None if origins is None else [origin.model_dump() for origin in origins],
    }


def evidence_of(bundle: Bundle) -> list[dict[str, Any]]:
    """Return the bundle's category table with what each category rests on, JSON-ready."""
    return [category.model_dump() for category in bundle.manifest.categories]


def _bars(bars: AnswerBars) -> dict[str, Any]:
    return {
        word: {
            "wanted": wanted,
            "categories": [_number(bar) for bar in bars.categories[word].tolist()],
            "supercategories": [_number(bar) for bar in bars.groups[word].tolist()],
        }
        for word, wanted in WANTED.items()
    }


def _points(points: Sequence[OperatingPoint]) -> list[dict[str, Any]]:
    return [
        {
            "threshold": _number(point.threshold),
            "is_reached": point.is_reached,
            "precision": _number(point.precision),
            "precision_low": _number(point.precision_interval.low),
            "precision_high": _number(point.precision_interval.high),
            "recall": _number(point.recall),
            "recall_low": _number(point.recall_interval.low),
            "recall_high": _number(point.recall_interval.high),
            "false_positive_rate": _number(point.false_positive_rate),
            "false_positive_low": _number(point.false_positive_interval.low),
            "false_positive_high": _number(point.false_positive_interval.high),
            "n_positives": point.n_positives,
            "n_dives": point.n_dives,
        }
        for point in points
    ]


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
