"""A network from pixels to outputs, whatever computes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from finding_nemo.core.arrays import Float32s, Pixels
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.data.images.resize import normalise_pixels
from finding_nemo.models.inference.onnxruntime_network import CPU_PROVIDER, OnnxNetwork

Dtype = Literal["float32", "bfloat16", "int8"]

# A GPU wants many images at once; a core keeps one image's layers in its own cache.
GPU_BATCH = 32


@dataclass(frozen=True, slots=True)
class NetworkOutput:
    """What a network says of some images.

    Attributes:
        outputs: Its first output, float32 (images, n).
        features: Its output "features", float32 (images, features), if it has one.
    """

    outputs: Float32s
    features: Float32s | None


@dataclass(frozen=True, slots=True)
class RuntimeChoice:
    """What computes a network.

    Attributes:
        runtime: "openvino" or "onnxruntime".
        device: "cpu", "cuda" or "tensorrt".
        dtype: Of the arithmetic.
        reason: Why, in words that are printed.
    """

    runtime: str
    device: str
    dtype: Dtype
    reason: str

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


class OnnxPixels:
    """A `PixelNetwork` on ONNX Runtime."""

    def __init__(
        self,
        network: OnnxNetwork,
        preprocessing: Preprocessing,
        *,
        choice: RuntimeChoice,
        workers: int,
    ) -> None:
        """Wrap a loaded network.

        Args:
            network: One thread an operation, as every worker has a core of its own.
            preprocessing: Mean and standard deviation of each channel.
            choice: What computes it, and why.
            workers: How many threads will use it.
        """
        self.choice = choice
        self.workers = workers
        self.n_features = network.n_features
        self.batch_size = 1 if network.providers[0] == CPU_PROVIDER else GPU_BATCH
        self._network = network
        self._preprocessing = preprocessing

    def forward(self, pixels: Pixels) -> NetworkOutput:
        """Return the outputs for uint8 pixels (images, height, width, 3)."""
        step = self.batch_size
        parts = [self._run(pixels[i : i + step]) for i in range(0, len(pixels), step)]
        return joined(parts)

    def _run(self, pixels: Pixels) -> NetworkOutput:
        images = normalise_pixels(pixels, self._preprocessing)
        return NetworkOutput(*self._network.outputs_and_features(images))


def joined(parts: list[NetworkOutput]) -> NetworkOutput:
    """Return what was seen of several groups of images, in their order."""
    if not parts:
        return NetworkOutput(np.empty((0, 0), dtype=np.float32), None)
    if len(parts) == 1:
        return parts[0]
    features = [part.features for part in parts if part.features is not None]
    return NetworkOutput(
        np.concatenate([part.outputs for part in parts]),
        np.concatenate(features) if features else None,
    )
