"""What `/model` says of a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from finding_nemo.core.arrays import Float32s
from finding_nemo.core.provenance import package_version
from finding_nemo.models.bundle.bundle import Bundle, bundle_hash
from finding_nemo.serving.api_schemas import CategoryRow, FrameSize, LimitsReply, ModelReply
from finding_nemo.serving.middleware.request_limits import RequestLimits
from finding_nemo.uncertainty.domain_check import DomainCounter


def model_reply(
    bundle: Bundle,
    limits: RequestLimits,
    *,
    reviewer: str = "",
    has_embeddings: bool = True,
    has_maps: bool = False,
) -> ModelReply:
    """Return what is said of a bundle that predicts.

    Args:
        bundle: What is served.
        limits: What requests may cost.
        reviewer: Who reviews, if the server was told.
        has_embeddings: Whether its predictions hold features, so that a dive can be adapted.
        has_maps: Whether they say where in the frame a guess is seen.
    """
    manifest = bundle.manifest
    seen = manifest.preprocessing
    train = manifest.split.parts.get("train")
    return ModelReply(
        mode="serve",
        name=_name(bundle.path),
        recipe=manifest.recipe,
        hash=bundle_hash(bundle.path),
        created=_created(manifest.provenance),
        n_train_dives=None if train is None else train.n_dives,
        frame=None if seen is None else FrameSize(width=seen.width_px, height=seen.height_px),
        categories=[
            CategoryRow(
                id=entry.category_id,
                name=entry.name,
                supercategory=entry.supercategory,
                n_images=entry.n_images,
            )
            for entry in manifest.categories
        ],
        can_predict=True,
        has_embeddings=has_embeddings,
        has_maps=has_maps,
        reviewer=reviewer,
        notices=list(bundle.notices),
        limits=limits_reply(limits),
        version=package_version(),
    )


def domain_warning(dives: Sequence[str], unusual: Float32s) -> str | None:
    """Return what a person should know of frames that look unlike those of the training.

    Args:
        dives: Of each frame.
        unusual: Share of the validation frames that are less unusual, NaN where unknown, shape
            (frames,).
    """
    counter = DomainCounter()
    counter.add(unusual, dives)
    checked = counter.verdict()
    return None if checked is None else checked.in_words or None


def limits_reply(limits: RequestLimits) -> LimitsReply:
    """Return what a page must know of the limits before it sends."""
    return LimitsReply(
        files=limits.max_files, bytes=limits.max_file_bytes, pixels=limits.max_pixels
    )


def _name(path: Path) -> str:
    """Return the run's name, or the bundle's own where it lies in no run folder."""
    found = path.resolve()
    return found.parent.name if found.name == "bundle" and found.parent.name else found.name


def _created(provenance: dict[str, Any]) -> str | None:
    for key in ("ended", "started"):
        if isinstance(provenance.get(key), str):
            return str(provenance[key])
    return None
