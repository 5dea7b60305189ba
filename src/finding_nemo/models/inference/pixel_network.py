"""A network from pixels to outputs, whatever computes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from finding_nemo.core.arrays import Float32s, Pixels
from finding_nemo.core.names.inference_names import Dtype, RuntimeName
from finding_nemo.core.preprocessing import Preprocessing


@dataclass(frozen=True, slots=True)
class NetworkOutput:
    """What a network says of some images.

    Attributes:
        outputs: Its first output, float32 (images, n).
        features: Its output "features", float32 (images, features), if it has one.
        patch_logits: What each patch says of each category, float32 (images, categories, rows,
            columns), if it has such an output and was opened with it.
    """

    outputs: Float32s
    features: Float32s | None
    patch_logits: Float32s | None = None


@dataclass(frozen=True, slots=True)
class RuntimeChoice:
    """What computes a network.

    Attributes:
        runtime: A name of `RUNTIMES`.
        device: "cpu", "cuda" or "tensorrt"; with ":1" the second card.
        dtype: Of the arithmetic.
        reason: Why, in words that are printed.
        is_device_asked: Whether it must be this device, or may be another where it does not start.
    """

    runtime: RuntimeName
    device: str
    dtype: Dtype
    reason: str
    is_device_asked: bool = False

    def __str__(self) -> str:
        """Return it in words, with the reason."""
        return f"{self.runtime} on {self.device} in {self.dtype}: {self.reason}"


class PixelNetwork(Protocol):
    """A network that several threads feed with pixels.

    Attributes:
        choice: What computes it, and why.
        workers: How many threads keep it busy.
        batch_size: How many images a thread brings at once.
        n_features: Width of the output "features"; 0 without one.
    """

    choice: RuntimeChoice
    workers: int
    batch_size: int
    n_features: int

    def forward(self, pixels: Pixels) -> NetworkOutput:
        """Return the outputs for uint8 pixels (images, height, width, 3).

        An image's numbers do not depend on the images beside it where the device is "cpu".
        """
        ...


class Runtime(Protocol):
    """One runtime: the object `RUNTIME` of `<name>_network.py`, for a row of `RUNTIMES`."""

    def devices(self) -> tuple[str, ...]:
        """Return what it computes on here, best first; nothing where it is not installed."""
        ...

    def computes(self, dtype: Dtype, device: str) -> bool:
        """Return whether `device` computes in `dtype` itself."""
        ...

    def open(
        self,
        network: Path | bytes,
        preprocessing: Preprocessing,
        *,
        choice: RuntimeChoice,
        workers: int,
        with_maps: bool = False,
    ) -> PixelNetwork:
        """Load a network.

        Args:
            network: An ONNX file, or its bytes.
            preprocessing: What is done to pixels.
            choice: Device and dtype, and why.
            workers: How many threads will use it.
            with_maps: Whether it gives patch logits, where it has them; else nothing of them is
                computed.

        Raises:
            BundleError: If it cannot be loaded.
        """
        ...

    def save(
        self, folder: Path, networks: Mapping[str, bytes], preprocessing: Preprocessing
    ) -> list[Path]:
        """Write networks in its own form into the bundle `folder`, if it has one; return them.

        Args:
            folder: The bundle.
            networks: ONNX bytes by the name of their file.
            preprocessing: Size, mean and standard deviation.
        """
        ...


def joined(parts: list[NetworkOutput]) -> NetworkOutput:
    """Return what was seen of several groups of images, in their order."""
    if not parts:
        return NetworkOutput(np.empty((0, 0), dtype=np.float32), None)
    if len(parts) == 1:
        return parts[0]
    features = [part.features for part in parts if part.features is not None]
    patch_logits = [part.patch_logits for part in parts if part.patch_logits is not None]
    return NetworkOutput(
        np.concatenate([part.outputs for part in parts]),
        np.concatenate(features) if features else None,
        np.concatenate(patch_logits) if patch_logits else None,
    )
