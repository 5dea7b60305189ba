"""A user's ONNX file, checked and opened as a frozen backbone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from finding_nemo.core.arrays import Float32s
from finding_nemo.core.errors import BundleError, SettingsError
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.provenance import hash_file
from finding_nemo.core.reporter import Reporter
from finding_nemo.core.text.printable import one_line
from finding_nemo.models.inference.onnxruntime_network import OnnxNetwork
from finding_nemo.models.networks.backbones import LoadedBackbone
from finding_nemo.models.networks.onnx_backbone import OnnxBackbone
from finding_nemo.models.onnx_check.check_onnx import check_network
from finding_nemo.models.onnx_export.own_onnx import (
    OnnxDescription,
    batches_agree,
    describe_onnx,
    flattened,
    frame_of,
    images_to_cells,
    sized,
)
from finding_nemo.models.weights_origin import WeightsOrigin
from finding_nemo.training.recipes.settings import ONNX

_UNREAD = frozenset({"pretrained", "weights"})


def onnx_frame_size(backbone: str) -> tuple[int, int] | None:
    """Return height and width of the frames that a user's file takes, if it takes one size.

    Raises:
        SettingsError: If the file is not there, or is no network from images.
    """
    path = _path_of(backbone)
    described, _ = describe_onnx(path)
    height, width = _frame(described, _cells_model(path, described))
    return (height, width) if height and width else None


def load_onnx_backbone(
    backbone: str, frame_px: tuple[int, int], reporter: Reporter
) -> LoadedBackbone:
    """Open a user's ONNX file for frames of one size.

    It is checked as a stranger's network is before any runtime is shown it.

    Args:
        backbone: "onnx:" and the path of the file.
        frame_px: Height and width of the frames.
        reporter: Told what is taken for granted.

    Raises:
        SettingsError: If the file is not there, is no network from such frames, or gives no
            features of them.
    """
    path = _path_of(backbone)
    described, beside = describe_onnx(path)
    model = _cells_model(path, described)
    own_px = _frame(described, model)
    if any(own and own != wanted for own, wanted in zip(own_px, frame_px, strict=True)):
        raise SettingsError(
            f"{path} takes frames of {own_px[1]} x {own_px[0]} px, and {frame_px[1]} x "
            f"{frame_px[0]} px are set: --set width_px={own_px[1]} --set height_px={own_px[0]}."
        )
    if beside is None:
        reporter.message(
            f"{path.name}: pixels are centred as ImageNet's, since no {path.stem}.json beside it "
            'says otherwise ({"mean": [...], "std": [...], "license": ...}).'
        )
    network = _opened(path, model, frame_px)
    origin = WeightsOrigin(
        backbone=described.name or path.stem,
        kind="pretrained",
        source=f"the ONNX file {path.name}",
        sha256=hash_file(path),
        license=described.license,
    )
    return LoadedBackbone(network, origin, described.mean, described.std, _UNREAD)


def _path_of(backbone: str) -> Path:
    path = Path(backbone.removeprefix(ONNX)).expanduser()
    if not path.is_file():
        raise SettingsError(
            f"backbone = {backbone!r}: there is no file {path}. Wanted is onnx: and the path of an "
            "ONNX file."
        )
    return path


def _frame(described: OnnxDescription, model: Any) -> tuple[int, int]:  # noqa: ANN401 - of onnx
    height, width = frame_of(model)
    return described.height_px or height, described.width_px or width


def _cells_model(path: Path, described: OnnxDescription) -> Any:  # noqa: ANN401 - onnx has no types
    try:
        return images_to_cells(path.read_bytes(), output=described.output)
    except SettingsError as error:
        raise SettingsError(f"{path} cannot be a backbone: {error}.") from None


def _opened(path: Path, model: Any, frame_px: tuple[int, int]) -> OnnxBackbone:  # noqa: ANN401
    height, width = frame_px
    graph = sized(model, frame_px)
    try:
        check_network(flattened(graph), Preprocessing(width_px=width, height_px=height))
        network = OnnxNetwork(graph)
        cells = _cells_of(network, frame_px)
    except BundleError as error:
        raise SettingsError(
            f"{path} cannot be a backbone for frames of {width} x {height} px: {error}."
        ) from None
    shape = cells.shape[1:]
    if len(shape) not in (1, 2, 3):
        raise SettingsError(
            f"{path} gives {shape} of a frame; wanted are features (n), tokens (t, n) or maps "
            "(n, rows, columns)."
        )
    return OnnxBackbone(
        network.outputs, sized(model, frame_px, shape), cells_shape=shape, frame_px=frame_px
    )


def _cells_of(network: OnnxNetwork, frame_px: tuple[int, int]) -> Float32s:
    """Return the cells of two images of noise, which must be those of each alone.

    Raises:
        BundleError: If a batch cannot be computed, or images depend on each other.
    """
    images = np.random.default_rng(0).normal(size=(2, 3, *frame_px)).astype(np.float32)
    try:
        both = network.outputs(images)
        alone = [network.outputs(image[None]) for image in images]
    except Exception as error:  # ONNX Runtime raises classes of its own, all unlisted
        words = one_line(error, longest=200)
        raise BundleError(
            f"it cannot compute two images at once ({words}): export it with a dynamic batch size"
        ) from None
    if not batches_agree(both, np.concatenate(alone)):
        raise BundleError("what it says of an image depends on the images beside it")
    return both
