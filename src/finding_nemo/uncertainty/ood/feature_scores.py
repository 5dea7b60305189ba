"""Novelty from pooled features: how far an image lies from the training images.

Features are standardised and turned to the training images' main axes once (`FeatureSpace`);
every score starts from there. All are higher further out and continuous.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from finding_nemo.core.arrays import AnyFloats, Float64s
from finding_nemo.core.errors import PredictionsError
from finding_nemo.uncertainty.ood.logit_scores import log_sum_exp

_LEAST_STD = 1e-6


@dataclass(frozen=True)
class FeatureSpace:
    """The main axes of the training images' standardised features.

    Attributes:
        mean: Of each feature, shape (features,).
        std: Of each feature, above 0, same shape.
        axes: Orthonormal columns, shape (features, axes), the widest first.
        variances: Of the training images along each axis, shape (axes,).
    """

    mean: AnyFloats
    std: AnyFloats
    axes: AnyFloats
    variances: AnyFloats

    def project(self, features: AnyFloats) -> tuple[AnyFloats, Float64s]:
        """Return coordinates (images, axes) and the length left over beside them (images,).

        Raises:
            PredictionsError: If the shape is another or a value is NaN.
        """
        if features.ndim != 2 or features.shape[1] != len(self.mean):
            raise PredictionsError(
                f"features must be (images, {len(self.mean)}), got shape {features.shape}."
            )
        bad_rows = np.flatnonzero(np.isnan(features).any(axis=1))
        if bad_rows.size:
            raise PredictionsError(f"features must not be NaN; first bad row: {bad_rows[0]}.")
        standardised = (features - self.mean) / self.std
        inside = standardised @ self.axes
        left = (standardised.astype(np.float64) ** 2).sum(axis=1) - (
            inside.astype(np.float64) ** 2
        ).sum(axis=1)
        return inside, np.sqrt(np.maximum(left, 0.0))


def fit_space(features: AnyFloats, *, n_axes: int) -> FeatureSpace:
    """Find the main axes of training features.

    Args:
        features: Shape (images, features), at least one image, no NaN.
        n_axes: How many are wanted; fewer where the features have fewer.

    Raises:
        PredictionsError: If there is no image or a value is NaN.
    """
    if features.ndim != 2 or not features.size or np.isnan(features).any():
        raise PredictionsError(
            f"Novelty needs training features (images, features) without NaN, got shape "
            f"{features.shape}."
        )
    values = features.astype(np.float64)
    mean, std = values.mean(axis=0), np.maximum(values.std(axis=0), _LEAST_STD)
    standardised = (values - mean) / std
    variances, axes = np.linalg.eigh(standardised.T @ standardised / len(values))
    widest = np.argsort(-variances, kind="stable")[: min(n_axes, features.shape[1])]
    return FeatureSpace(mean, std, axes[:, widest], np.maximum(variances[widest], 0.0))


def neighbour_novelty(inside: AnyFloats, neighbours: AnyFloats, *, k: int) -> Float64s:
    """Return the distance to the k-th nearest training image, in [0, 2], shape (images,).

    Args:
        inside: Coordinates, shape (images, axes); their length does not count.
        neighbours: Coordinates of training images at length 1, shape (training images, axes).
        k: Which neighbour; the furthest where there are fewer.

    Source:
        Sun et al., "Out-of-Distribution Detection with Deep Nearest Neighbors", ICML 2022,
        arXiv:2204.06507.
    """
    closeness = unit_rows(inside) @ neighbours.T
    position = min(k, len(neighbours))
    kth = -np.partition(-closeness, position - 1, axis=1)[:, position - 1]
    return np.sqrt(np.maximum(2.0 - 2.0 * kth.astype(np.float64), 0.0))


def unit_rows(rows: AnyFloats) -> AnyFloats:
    """Return rows at length 1; a row of zeros stays."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    result: AnyFloats = rows / np.where(length > 0, length, 1)
    return result


@dataclass(frozen=True)
class CategoryCentres:
    """Where the training images of each category lie, in whitened coordinates.

    Attributes:
        root: Turns whitened coordinates so that distances become Mahalanobis', (axes, axes).
        centres: Of each category with enough images, turned, shape (categories kept, axes).
    """

    root: AnyFloats
    centres: AnyFloats

    def distances(self, white: AnyFloats) -> tuple[Float64s, Float64s]:
        """Return the squared distance to the nearest centre, and that less the one to the middle.

        The first is Mahalanobis' novelty, the second the relative one; each shape (images,).

        Source:
            Lee et al., "A Simple Unified Framework for Detecting Out-of-Distribution Samples",
            NeurIPS 2018, arXiv:1807.03888; Ren et al., "A Simple Fix to Mahalanobis Distance",
            2021, arXiv:2106.09022. Multi-label: an image counts for each of its categories.
        """
        turned = (white @ self.root).astype(np.float64)
        centres = self.centres.astype(np.float64)
        squared = (
            (turned**2).sum(axis=1)[:, np.newaxis]
            + (centres**2).sum(axis=1)[np.newaxis]
            - 2 * turned @ centres.T
        )
        nearest = np.maximum(squared, 0).min(axis=1)
        # Whitened training images have mean 0 and unit covariance: their middle is the origin.
        return nearest, nearest - (white.astype(np.float64) ** 2).sum(axis=1)


def fit_centres(
    white: AnyFloats, truth: npt.NDArray[np.bool_], *, least_images: int, shrinkage: float
) -> CategoryCentres:
    """Find the categories' centres and the spread around them.

    Args:
        white: Whitened coordinates of training images, shape (images, axes).
        truth: Their categories, shape (images, categories).
        least_images: A category with fewer has no centre; all images share one if none has.
        shrinkage: Share of a round spread mixed into the found one, in (0, 1].
    """
    kept = truth[:, truth.sum(axis=0) >= least_images].astype(np.float64)
    if not kept.shape[1]:
        kept = np.ones((len(white), 1))
    centres = (kept.T @ white) / kept.sum(axis=0)[:, np.newaxis]
    share = kept / np.maximum(kept.sum(axis=1, keepdims=True), 1)
    beside = white - share @ centres
    spread = beside.T @ beside / len(white)
    n_axes = white.shape[1]
    round_spread = np.eye(n_axes) * max(np.trace(spread) / n_axes, _LEAST_STD)
    mixed = (1 - shrinkage) * spread + shrinkage * round_spread
    root = np.linalg.cholesky(np.linalg.inv(mixed))
    return CategoryCentres(root, centres @ root)


def vim_scale(left_over: Float64s, logits: AnyFloats) -> float:
    """Return what makes left-over lengths as large as the largest logits on training images."""
    mean = float(left_over.mean())
    return abs(float(logits.max(axis=1).mean())) / mean if mean > 0 else 0.0


def vim_novelty(left_over: Float64s, logits: AnyFloats, *, scale: float) -> Float64s:
    """Return the scaled length outside the main axes, less the network's energy, (images,).

    Args:
        left_over: Lengths beside the main axes, shape (images,).
        logits: Shape (images, categories).
        scale: From `vim_scale`.

    Source:
        Wang et al., "ViM: Out-Of-Distribution with Virtual-logit Matching", CVPR 2022,
        arXiv:2203.10807, with the log-sum-exp of the sigmoids' logits as energy.
    """
    return scale * left_over - log_sum_exp(logits)
