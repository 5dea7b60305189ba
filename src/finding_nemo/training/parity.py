"""The exported network must say what torch says, from the same image files."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from finding_nemo.core.errors import TrainingError
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.records import ImageRecord
from finding_nemo.data.images import decode_image
from finding_nemo.data.transforms import preprocess
from finding_nemo.models.bundle import Bundle
from finding_nemo.models.runtime import OnnxNetwork

Floats = npt.NDArray[np.float32]

_LARGEST_DIFFERENCE = 1e-4
_N_IMAGES = 8


def check_parity(
    bundle: Bundle, network: nn.Module, records: Sequence[ImageRecord], spec: Preprocessing
) -> float:
    """Return the largest difference in probability from torch, over a few images.

    Raises:
        TrainingError: If it is 1e-4 or more.
    """
    images = parity_images(records, spec)
    network.eval()
    with torch.inference_mode():
        from_torch = network(torch.from_numpy(images)).float().numpy()
    return check_says(bundle, from_torch, images, source="torch")


def parity_images(records: Sequence[ImageRecord], spec: Preprocessing) -> Floats:
    """Return a few images, preprocessed from their files."""
    step = max(len(records) // _N_IMAGES, 1)
    files = [record.path for record in records[::step][:_N_IMAGES]]
    return np.stack([preprocess(decode_image(path).pixels, spec) for path in files])


def check_says(bundle: Bundle, wanted: Floats, images: Floats, *, source: str) -> float:
    """Return the largest difference in probability from `wanted` outputs for `images`.

    Raises:
        TrainingError: If it is 1e-4 or more.
    """
    said = OnnxNetwork(bundle.onnx_path).outputs(images)
    difference = np.abs(bundle.to_probabilities(wanted) - bundle.to_probabilities(said))
    largest = float(difference.max())
    if not largest < _LARGEST_DIFFERENCE:
        raise TrainingError(
            f"The exported network differs from {source} by {largest:.2g} in probability, "
            f"{_LARGEST_DIFFERENCE:.0e} is allowed: the bundle would predict something else."
        )
    return largest
