"""A network in int8: weights and activations of its convolutions, calibrated on real frames."""

from __future__ import annotations

import contextlib
import logging
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.data.images.resize import normalise_pixels

# Layers next to the pixels lose most to int8: with the first 6 convolutions in floating point the
# loss of MAP@20 of a probe on 1,741 frames fell from 0.0069 to 0.0009, at a tenth of the speed.
_FLOAT_CONVOLUTIONS = 6
# What surrounds convolutions and can stay in int8 between them.
_INT8_OPERATIONS = frozenset({"Conv", "Clip", "Relu", "Add"})


def quantise_onnx(
    network: bytes,
    frames: Sequence[npt.NDArray[np.uint8]],
    preprocessing: Preprocessing,
    out: Path,
) -> None:
    """Write `network` in int8 to `out`.

    Weights are symmetric with a scale a channel; activations are unsigned with one scale a tensor,
    from the mean of each frame's smallest and largest value, which one odd frame does not widen.

    Args:
        network: ONNX bytes.
        frames: Frames to calibrate on, each uint8 (height, width, 3), not trained-on duplicates.
        preprocessing: Size, mean and standard deviation.
        out: The file to write.
    """
    import onnx
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as scratch, _quiet():
        given, prepared = Path(scratch) / "given.onnx", Path(scratch) / "prepared.onnx"
        given.write_bytes(network)
        quant_pre_process(str(given), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(out),
            _Frames(frames, preprocessing),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            calibrate_method=CalibrationMethod.MinMax,
            nodes_to_exclude=_left_in_float(onnx.load(str(prepared)).graph.node),
            extra_options={"CalibMovingAverage": True},
        )


def _left_in_float(nodes: Sequence[Any]) -> list[str]:
    """Return what is not made int8; several networks in one each keep their first convolutions."""
    depth: dict[str, int] = {}
    left = []
    for node in nodes:
        before = max((depth.get(name, 0) for name in node.input), default=0)
        is_convolution = node.op_type == "Conv"
        depth |= dict.fromkeys(node.output, before + is_convolution)
        if node.op_type not in _INT8_OPERATIONS or (
            is_convolution and before < _FLOAT_CONVOLUTIONS
        ):
            left.append(node.name)
    return left


class _Frames:
    """What ONNX Runtime asks for one frame after another."""

    def __init__(
        self, frames: Sequence[npt.NDArray[np.uint8]], preprocessing: Preprocessing
    ) -> None:
        self._all = frames
        self._preprocessing = preprocessing
        self.rewind()

    def get_next(self) -> dict[str, npt.NDArray[np.float32]] | None:
        """Return the next frame as the network takes it, `None` after the last."""
        frame = next(self._waiting, None)
        if frame is None:
            return None
        return {"images": normalise_pixels(frame[np.newaxis], self._preprocessing)}

    def __iter__(self) -> _Frames:
        return self

    def __next__(self) -> dict[str, npt.NDArray[np.float32]]:
        """Return the next frame."""
        found = self.get_next()
        if found is None:
            raise StopIteration
        return found

    def rewind(self) -> None:
        """Begin again."""
        self._waiting = iter(self._all)

    def __len__(self) -> int:
        return len(self._all)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the advice that the tools write to the root logger."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
