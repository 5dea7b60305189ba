"""The tensors of `novelty.safetensors`, checked before anything is computed with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import Tensors
from finding_nemo.core.errors import BundleError
from finding_nemo.core.files.fault_handling import OnFault, stop_at_fault
from finding_nemo.core.text.printable import printable
from finding_nemo.uncertainty.ood.detector import (
    COMBINED_OF,
    COMBINED_OF_LOGITS,
    DEFAULT,
    DEFAULT_OF_LOGITS,
    SPACE_TENSORS,
)
from finding_nemo.uncertainty.ood.novelty_scores import (
    COMBINED,
    LOGIT_SCORES,
    NOVELTY_SCORES,
    ORDER,
)
from finding_nemo.uncertainty.ood.percentiles import N_QUANTILES
from finding_nemo.uncertainty.opinion_pool import POOL_TENSORS

_QUANTILES = "novelty.quantiles."
# Bundles whose training had no validation image, or that open none, keep these alone.
_OF_BASELINES = "validation_quantiles"
# Each name's shape in letters: categories, features, axes, whitened axes, and what is free.
_FEATURE_SHAPES: Mapping[str, str] = {
    f"novelty.{name}": letters
    for tensors in (SPACE_TENSORS, *(each.tensors for each in NOVELTY_SCORES.values()))
    for name, letters in tensors.items()
}
_SHAPES: Mapping[str, str] = {
    "calibration.offset": "c",
    "calibration.anchor": "c",
    "calibration.slope": "c",
    "validation.logits": "vc",
    "validation.truth": "vc",
    "validation.dive": "v",
    _OF_BASELINES: "q",
    **{f"ranking.{name}": letters for name, letters in POOL_TENSORS.items()},
    **_FEATURE_SHAPES,
}
_GROUPS = (
    ("calibration.", ("calibration.slope",)),
    ("validation.", ("validation.logits", "validation.truth", "validation.dive")),
    ("ranking.", tuple(f"ranking.{name}" for name in POOL_TENSORS)),
)


def check_uncertainty_tensors(
    tensors: Tensors, *, n_categories: int, on_fault: OnFault = stop_at_fault
) -> None:
    """Check that tensors are those that `uncertainty_tensors` writes.

    Args:
        tensors: By name.
        n_categories: Of the bundle.
        on_fault: Takes a fault of the names, and then one of each tensor.

    Raises:
        BundleError: If one is missing, unknown, of another shape or type, or holds NaN.
    """
    sizes = {"c": n_categories, "q": N_QUANTILES, "1": 1}
    is_sound = _passes(on_fault, partial(_check_names, tensors))
    # In order of name: a file gives them in another order each time, and messages would differ.
    for name, tensor in sorted(tensors.items()):
        is_sound &= _passes(on_fault, partial(_check_tensor, name, tensor, sizes))
    if is_sound:
        _passes(on_fault, partial(_check_together, tensors, sizes))


def _passes(on_fault: OnFault, check: Callable[[], None]) -> bool:
    """Return whether a check finds no fault; give on the one that it finds."""
    try:
        check()
    except BundleError as error:
        on_fault(error)
        return False
    return True


def _check_tensor(name: str, tensor: npt.NDArray[Any], sizes: dict[str, int]) -> None:
    letters = "q" if name.startswith(_QUANTILES) else _SHAPES.get(name)
    if letters is not None:
        _check_shape(name, tensor, letters, sizes)
    _check_numbers(name, tensor)


def _check_together(tensors: Tensors, sizes: Mapping[str, int]) -> None:
    if "x" in sizes and sizes["x"] != sizes.get("w", 0) + 1:
        raise _wrong("novelty.heads", f"has {sizes['x']} rows beside {sizes.get('w')} axes")
    if sizes.get("w", 1) > sizes.get("a", 1):
        raise _wrong("novelty.root", f"turns {sizes['w']} axes of {sizes['a']}")
    if "novelty.std" in tensors and not (tensors["novelty.std"] > 0).all():
        raise _wrong("novelty.std", "is not above 0 everywhere")


def _check_names(tensors: Tensors) -> None:
    scores = {name.removeprefix(_QUANTILES) for name in tensors if name.startswith(_QUANTILES)}
    foreign = sorted(
        [name for name in tensors if not name.startswith(_QUANTILES) and name not in _SHAPES]
        + [_QUANTILES + score for score in scores - set(ORDER)]
    )
    if foreign:
        raise _wrong(foreign[0], "is not known to this version")
    for prefix, needed in _GROUPS:
        if any(name.startswith(prefix) for name in tensors):
            _check_there(tensors, needed)
    if "calibration.slope" in tensors and not {"calibration.offset", "calibration.anchor"} & set(
        tensors
    ):
        raise _wrong("calibration.offset", "is missing")
    by_features = any(name in tensors for name in _FEATURE_SHAPES)
    if scores or by_features:
        if by_features:
            _check_there(tensors, (f"novelty.{name}" for name in _needed_by(scores)))
        _check_scores(tensors, scores, by_features=by_features)


def _needed_by(scores: set[str]) -> list[str]:
    """Return the tensors of features that the scores of a bundle are made from."""
    fitted = [each.tensors for name, each in NOVELTY_SCORES.items() if name in scores]
    return [name for tensors in (SPACE_TENSORS, *fitted) for name in tensors]


def _check_scores(tensors: Tensors, scores: set[str], *, by_features: bool) -> None:
    members = (*COMBINED_OF, DEFAULT) if by_features else (*COMBINED_OF_LOGITS, DEFAULT_OF_LOGITS)
    _check_there(tensors, [_QUANTILES + name for name in (COMBINED, *members)])
    surplus = sorted(scores - {COMBINED, *LOGIT_SCORES})
    if surplus and not by_features:
        raise _wrong(_QUANTILES + surplus[0], "is a score of features, and there are none")


def _check_there(tensors: Tensors, names: Iterable[str]) -> None:
    for name in names:
        if name not in tensors:
            raise _wrong(name, "is missing")


def _check_shape(name: str, tensor: npt.NDArray[Any], letters: str, sizes: dict[str, int]) -> None:
    """Compare a shape with its letters; a letter means one size wherever it stands."""
    wanted = [sizes.get(letter) for letter in letters]
    fits = tensor.ndim == len(letters) and all(
        size > 0 and sizes.setdefault(letter, size) == size
        for letter, size in zip(letters, tensor.shape, strict=True)
    )
    if not fits:
        words = " x ".join("any" if size is None else str(size) for size in wanted)
        raise _wrong(name, f"is of shape {tensor.shape}; wanted is {words}")


def _check_numbers(name: str, tensor: npt.NDArray[Any]) -> None:
    if tensor.dtype.kind not in "fiub":
        raise _wrong(name, f"is of type {tensor.dtype}, which is no number")
    if name != _OF_BASELINES and tensor.dtype.kind == "f" and np.isnan(tensor).any():
        raise _wrong(name, "holds NaN")


def _wrong(name: str, words: str) -> BundleError:
    return BundleError(f"its tensor {printable(name[:100])!r} {words}")
