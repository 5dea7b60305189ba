"""The exported network must say what torch says, from the same image files."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from finding_nemo.core.errors import TrainingError
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.records import ImageRecord
from finding_nemo.data.images import decode_image
from finding_nemo.data.transforms import preprocess
from finding_nemo.models.bundle import Bundle
from finding_nemo.models.runtime import OnnxNetwork

_LARGEST_DIFFERENCE = 1e-4
_N_IMAGES = 8


def check_parity(
    bundle: Bundle, network: nn.Module, records: Sequence[ImageRecord], spec: Preprocessing
) -> float:
    """Return the largest difference in probability over a few images read from their files.

    Raises:
        TrainingError: If it is 1e-4 or more.
    """
    step = max(len(records) // _N_IMAGES, 1)
    files = [record.path for record in records[::step][:_N_IMAGES]]
    images = np.stack([preprocess(decode_image(path).pixels, spec) for path in files])
    network.eval()
    with torch.inference_mode():
        from_torch = network(torch.from_numpy(images)).float().numpy()
    from_onnx = OnnxNetwork(bundle.onnx_path).outputs(images)
    difference = np.abs(bundle.to_probabilities(from_torch) - bundle.to_probabilities(from_onnx))
    largest = float(difference.max())
    if not largest < _LARGEST_DIFFERENCE:
        raise TrainingError(
            f"The exported network differs from torch by {largest:.2g} in probability, "
            f"{_LARGEST_DIFFERENCE:.0e} is allowed: the bundle would predict something else."
        )
    return largest
