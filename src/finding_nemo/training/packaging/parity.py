"""The exported network must say what torch says, from the same image files."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from finding_nemo.core.arrays import Float32s
from finding_nemo.core.errors import TrainingError
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.records import ImageRecord
from finding_nemo.data.images.decode import decode_image
from finding_nemo.data.images.resize import preprocess
from finding_nemo.models.bundle.bundle import Bundle
from finding_nemo.models.inference.onnxruntime_network import OnnxNetwork
from finding_nemo.models.inference.open_bundle_network import checked_network
from finding_nemo.models.networks.with_features import has_maps

# Of an output as it comes, before sigmoid or clip; of its size where that is above 1. Clipping
# would make two networks equal that differ everywhere outside [0, 1].
_LARGEST_DIFFERENCE = 1e-3
_N_IMAGES = 8


def check_parity(
    bundle: Bundle, network: nn.Module, records: Sequence[ImageRecord], spec: Preprocessing
) -> float:
    """Return the largest difference in an output or a map from torch, over a few images.

    Raises:
        TrainingError: If it is 1e-3 or more, of the output's size where that is above 1.
    """
    images = parity_images(records, spec)
    network.eval()
    with torch.inference_mode():
        from_torch = network(torch.from_numpy(images)).float().numpy()
        maps = network.with_maps(torch.from_numpy(images))[2] if has_maps(network) else None
    return check_outputs(
        bundle,
        from_torch,
        images,
        patch_logits=None if maps is None else maps.float().numpy(),
        source="torch",
    )


def parity_images(records: Sequence[ImageRecord], spec: Preprocessing) -> Float32s:
    """Return a few images, preprocessed from their files."""
    step = max(len(records) // _N_IMAGES, 1)
    files = [record.path for record in records[::step][:_N_IMAGES]]
    return np.stack([preprocess(decode_image(path).pixels, spec) for path in files])


def check_outputs(
    bundle: Bundle,
    wanted: Float32s,
    images: Float32s,
    *,
    source: str,
    patch_logits: Float32s | None = None,
) -> float:
    """Return the largest difference of the bundle's raw outputs from `wanted`, for `images`.

    Args:
        bundle: Whose network is checked.
        wanted: The outputs, shape (images, n).
        images: Preprocessed, shape (images, 3, height, width).
        source: Of what is wanted, in words.
        patch_logits: Shape (images, n, rows, columns), where the network must give them.

    Raises:
        TrainingError: If the shapes differ, or an output does by 1e-3 or more, of its size where
            that is above 1.
    """
    found = OnnxNetwork(checked_network(bundle)).forward(images, with_maps=True)
    largest = largest_difference(found.outputs, wanted)
    if patch_logits is not None:
        given = found.patch_logits
        of_maps = float("inf") if given is None else largest_difference(given, patch_logits)
        largest = float(np.maximum(largest, of_maps))  # NaN in either stays NaN
    if not largest < _LARGEST_DIFFERENCE:
        raise TrainingError(
            f"The exported network differs from {source} by {largest:.2g} in an output, "
            f"{_LARGEST_DIFFERENCE:.0e} is allowed: the bundle would predict something else."
        )
    return largest


def largest_difference(found: Float32s, wanted: Float32s) -> float:
    """Return the largest difference of two arrays of outputs; infinity if shapes differ.

    A difference counts relative to the wanted output where that is above 1 in size, as float32
    itself does; NaN anywhere gives NaN.
    """
    if found.shape != wanted.shape:
        return float("inf")
    with np.errstate(invalid="ignore"):  # infinity less infinity
        differences = np.abs(found - wanted) / np.maximum(np.abs(wanted), 1.0)
    return float(differences.max(initial=0.0))
