"""An ONNX network that takes uint8 pixels: the normalisation inside its graph.

A card is sent a quarter of the bytes, and no core is busy with arithmetic on pixels. The 256
possible results of a channel are looked up in the graph as `normalise_pixels` looks them up, so
what the network sees is equal to the last bit. It is done when a network is opened: bundles hold
networks as they always did.

Source:
    Field numbers: onnx/onnx.proto, IR version 10.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from finding_nemo.core.errors import BundleError
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.data.images.resize import normalise_pixels
from finding_nemo.models.onnx_check.protobuf import (
    Message,
    NotProtobufError,
    encode_bytes,
    encode_number,
)

UINT8_PIXELS = "uint8_pixels"
_IMAGES = "images"
# No name of a network begins so.
_PREFIX = "uint8_pixels/"
_FLOAT, _UINT8, _INT32 = 1, 2, 6
_AN_INT, _INTS = 2, 7
_GRAPH, _NODE, _INITIALIZER, _INPUT = 7, 1, 5, 11
_LEVELS = 256


def with_pixels_in(network: bytes, preprocessing: Preprocessing) -> bytes:
    """Return a network whose only input is uint8 (images, height, width, 3).

    Args:
        network: An ONNX file whose only input is "images", float32 (images, 3, height, width).
        preprocessing: Size, mean and standard deviation.

    Raises:
        BundleError: If it is no ONNX file.
    """
    try:
        model = Message(memoryview(network))
        graph = model.child(_GRAPH)
        if graph is None:
            raise NotProtobufError("it holds no graph")
        changed = b"".join(
            [
                *(encode_bytes(_NODE, node) for node in _nodes()),
                *(encode_bytes(_INITIALIZER, each) for each in _initializers(preprocessing)),
                encode_bytes(_INPUT, _input(preprocessing)),
                graph.encoded(leaving_out=[_INPUT]),
            ]
        )
        return model.encoded(leaving_out=[_GRAPH]) + encode_bytes(_GRAPH, changed)
    except NotProtobufError as error:
        raise BundleError(
            f"The network is no ONNX file or is cut off: {error}. Train or copy it again."
        ) from None


def _nodes() -> list[bytes]:
    """Return what makes images of pixels, in order."""
    planes, levels, rows = (f"{_PREFIX}{name}" for name in ("planes", "levels", "rows"))
    return [
        _node("Transpose", [UINT8_PIXELS], planes, _ints("perm", (0, 3, 1, 2))),
        _node("Cast", [planes], levels, _int("to", _INT32)),
        _node("Add", [levels, f"{_PREFIX}first_rows"], rows),
        _node("Gather", [f"{_PREFIX}values", rows], _IMAGES),
    ]


def _initializers(preprocessing: Preprocessing) -> list[bytes]:
    """Return what each level of each channel becomes, channel after channel, and where each begins.

    The values are those of `normalise_pixels` itself.
    """
    levels = np.repeat(np.arange(_LEVELS, dtype=np.uint8)[None, :, None], 3, axis=2)
    values = normalise_pixels(levels, preprocessing).reshape(-1)
    first_rows = (_LEVELS * np.arange(3, dtype=np.int32)).reshape(1, 3, 1, 1)
    return [
        _tensor("values", values, _FLOAT),
        _tensor("first_rows", first_rows, _INT32),
    ]


def _node(operation: str, inputs: Sequence[str], output: str, attribute: bytes = b"") -> bytes:
    parts = [encode_bytes(1, name.encode()) for name in inputs]
    parts += [encode_bytes(2, output.encode()), encode_bytes(4, operation.encode())]
    return b"".join(parts) + (encode_bytes(5, attribute) if attribute else b"")


def _int(name: str, value: int) -> bytes:
    return encode_bytes(1, name.encode()) + encode_number(3, value) + encode_number(20, _AN_INT)


def _ints(name: str, values: Sequence[int]) -> bytes:
    numbers = b"".join(encode_number(8, value) for value in values)
    return encode_bytes(1, name.encode()) + numbers + encode_number(20, _INTS)


def _tensor(name: str, values: npt.NDArray[np.generic], elem_type: int) -> bytes:
    dims = b"".join(encode_number(1, length) for length in values.shape)
    content = values.astype(values.dtype.newbyteorder("<")).tobytes()
    named = encode_bytes(8, f"{_PREFIX}{name}".encode())
    return dims + encode_number(2, elem_type) + named + encode_bytes(9, content)


def _input(preprocessing: Preprocessing) -> bytes:
    """Return the input: any number of images, each of one size."""
    sizes = (preprocessing.height_px, preprocessing.width_px, 3)
    dims = [b"", *(encode_number(1, size) for size in sizes)]
    shape = b"".join(encode_bytes(1, dim) for dim in dims)
    tensor = encode_number(1, _UINT8) + encode_bytes(2, shape)
    return encode_bytes(1, UINT8_PIXELS.encode()) + encode_bytes(2, encode_bytes(1, tensor))
