"""What trainings have cost where they were measured, to say beforehand what one will."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_TABLE = "docs/recipes.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCost:
    """What one recipe took on a CPU.

    Seconds are of one core: two cores take half.

    Attributes:
        start_s: Loading the libraries and the backbone, exporting the network.
        image_s: A training or validation image read, prepared, and predicted for calibration
            and novelty at the end.
        view_s: A training image shown once.
        at_px: Pixels of the frames that was measured at; the network's time grows with them.
        memory: The most bytes held at once.
        bundle: Bytes of the bundle.
        cache: Bytes kept of an image, for later trainings too, at `at_px`.
        source: Where it was measured.
    """

    start_s: float
    image_s: float
    view_s: float
    at_px: int
    memory: float
    bundle: float
    cache: float
    source: str

    def core_seconds(self, *, n_images: int, n_views: int, pixels: int) -> float:
        """Return the seconds of one core.

        Args:
            n_images: Training and validation images.
            n_views: Training images times epochs.
            pixels: Of a frame as the network takes it.
        """
        share = pixels / self.at_px
        return self.start_s + share * (n_images * self.image_s + n_views * self.view_s)

    def cache_bytes(self, *, n_images: int, pixels: int) -> float:
        """Return what is kept of the images."""
        return n_images * self.cache * pixels / self.at_px


_USUAL, _STUDY = 480 * 352, 224 * 224
# On 3,675 training and 652 validation frames of 38 categories, two cores of an AMD EPYC.
KNOWN_COSTS: Mapping[str, KnownCost] = {
    "probe": KnownCost(
        start_s=30,
        image_s=0.020,
        view_s=0.0001,
        at_px=_STUDY,
        memory=1.5e9,
        bundle=19e6,
        cache=5_120,
        source=f"{_TABLE}: 1 minute on two cores for 4,327 frames",
    ),
    "patches": KnownCost(
        start_s=30,
        image_s=0.060,
        view_s=0.005,
        at_px=_USUAL,
        memory=2.2e9,
        bundle=25e6,
        cache=424_000,
        source=f"{_TABLE}: 4,327 frames of 480 x 352 px, their features and the heads apart",
    ),
    "nemo": KnownCost(
        start_s=30,
        image_s=0.050,
        view_s=0.37,
        at_px=_USUAL,
        memory=2.4e9,
        bundle=25e6,
        cache=3 * _USUAL,
        source=f"{_TABLE}: 27 core-minutes for 3,675 views of 480 x 352 px",
    ),
    "logistic-regression": KnownCost(
        start_s=30,
        image_s=0.010,
        view_s=0.026,
        at_px=_STUDY,
        memory=2.5e9,
        bundle=25e6,
        cache=3 * _STUDY,
        source="README.md: 3 minutes on two cores for three epochs of 3,675 frames",
    ),
    "basic-nn": KnownCost(
        start_s=30,
        image_s=0.010,
        view_s=0.070,
        at_px=_STUDY,
        memory=4e9,
        bundle=650e6,
        cache=3 * _STUDY,
        source="README.md: 7 minutes on two cores for three epochs of 3,675 frames",
    ),
    "efficientnet-b0": KnownCost(
        start_s=30,
        image_s=0.020,
        view_s=0.095,
        at_px=_STUDY,
        memory=4.9e9,
        bundle=30e6,
        cache=3 * _STUDY,
        source="docs/experiments/0029: 6 core-minutes an epoch of 3,675 frames, on a network of "
        "its kind",
    ),
}
