"""What a competition wants to know: which pretrained models and other data a model rests on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from finding_nemo.core.text.printable import printable
from finding_nemo.models.bundle.manifest import BundleManifest
from finding_nemo.models.weights_origin import WeightsOrigin


def declaration(manifest: BundleManifest) -> str:
    """Return the sentence that declares a bundle's pretrained models and additional data."""
    return (
        "Pretrained models and additional data used: "
        f"{_models(manifest)}; {_data(manifest.provenance)}."
    )


def _models(manifest: BundleManifest) -> str:
    origins = manifest.weights_origins
    if origins is None:
        backbone = printable(str(manifest.settings.get("backbone", "")))
        known = f" (its backbone is {backbone})" if backbone else ""
        return (
            f"which pretrained weights it started from is not recorded{known}, since an earlier "
            "version trained it"
        )
    if not origins:
        return "no pretrained model, since it has no network"
    return "; ".join(_model(origin) for origin in origins)


def _model(origin: WeightsOrigin) -> str:
    if origin.kind == "random":
        return f"no pretrained model ({origin.backbone} from RANDOM weights)"
    if origin.kind == "registered":
        return f"{origin.backbone}, a network of our own, with weights as its function gives them"
    license_words = f"license {origin.license}" if origin.license else "license not known"
    digest = f", SHA-256 {origin.sha256}" if origin.sha256 else ""
    return f"{origin.backbone}, pretrained weights from {origin.source} ({license_words}{digest})"


def _data(provenance: Mapping[str, Any]) -> str:
    dataset = _name(provenance.get("dataset"))
    own = f"trained on {dataset}" if dataset else "trained on a data set that is not recorded"
    reviews = _name(provenance.get("reviews"))
    if reviews:
        return f"{own}, and on additional frames reviewed by people ({reviews})"
    return f"{own}, no additional data"


def _name(path: object) -> str:
    return printable(PurePath(path).name or path) if isinstance(path, str) else ""
