"""A tensor of an ONNX file: its bytes must be in the file and as many as its shape says."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from finding_nemo.core.errors import BundleError
from finding_nemo.core.text.printable import printable
from finding_nemo.models.onnx_check.protobuf import Message

FLOAT = 1
# Of the types that networks for pixels use: ONNX's number, and how its bytes are read.
_TYPES: dict[int, str] = {
    FLOAT: "<f4", 2: "u1", 3: "i1", 4: "<u2", 5: "<i2", 6: "<i4", 7: "<i8", 9: "?",
    10: "<f2", 11: "<f8", 12: "<u4", 13: "<u8",
}  # fmt: skip
_DIMS, _DATA_TYPE, _NAME, _RAW, _EXTERNAL, _LOCATION = 1, 2, 8, 9, 13, 14
# Where numbers are when they are not raw bytes, and how many bytes each takes there; 0: varints.
_TYPED = {4: 4, 5: 0, 7: 0, 10: 8, 11: 0}
_KNOWN = {_DIMS, _DATA_TYPE, *_TYPED, _NAME, _RAW, 12, _LOCATION, 16}
# Shapes, axes and the like; larger tensors are weights, whose values are nobody's business here.
_SMALL = 1024
MOST_DIMENSIONS = 16

Numbers = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor.

    Attributes:
        name: Its name.
        shape: Its dimensions.
        values: Its numbers where they are few, else `None`.
    """

    name: str
    shape: tuple[int, ...]
    values: Numbers | None


def tensor_of(message: Message) -> Tensor:
    """Return the tensor in a message.

    Raises:
        BundleError: If its numbers are not in the file, are not as many as its shape says, or
            are not numbers.
    """
    name, shape, kind = message.text(_NAME), message.integers(_DIMS), message.number(_DATA_TYPE)
    what = f"tensor {printable(name)!r}" if name else "a tensor"
    if _EXTERNAL in message.numbers or any(message.integers(_LOCATION)):
        raise BundleError(f"{what} is kept in another file (external data)")
    if not set(message.numbers) <= _KNOWN:
        raise BundleError(f"{what} is not of a plain form (text, segments or later fields)")
    if kind not in _TYPES:
        raise BundleError(f"{what} has the type {kind}, which no network for pixels needs")
    if any(size < 0 for size in shape) or len(shape) > MOST_DIMENSIONS:
        raise BundleError(f"{what} has the shape {list(shape)}")
    dtype = np.dtype(_TYPES[kind])
    n_numbers = math.prod(shape)
    found = _numbers(message, dtype, what, n_numbers)
    if dtype.kind == "f" and np.isnan(found).any():
        raise BundleError(f"{what} holds NaN")
    return Tensor(name, shape, found.reshape(shape) if n_numbers <= _SMALL else None)


def _numbers(message: Message, dtype: np.dtype[Any], what: str, n_wanted: int) -> Numbers:
    """Return the numbers, from raw bytes or from the one typed field that is there."""
    raw = message.chunks(_RAW)
    typed = [number for number in _TYPED if number in message.numbers]
    if len(raw) + len(typed) > 1:
        raise BundleError(f"{what} keeps its numbers in {len(raw) + len(typed)} places")
    if raw:
        n_found, odd = divmod(len(raw[0]), dtype.itemsize)
        _check_count(what, n_wanted, n_found + bool(odd))
        return np.frombuffer(raw[0], dtype)
    if not typed:
        _check_count(what, n_wanted, 0)
        return np.empty(0, dtype)
    return _typed(message, typed[0], dtype, what, n_wanted)


def _typed(
    message: Message, number: int, dtype: np.dtype[Any], what: str, n_wanted: int
) -> Numbers:
    width = _TYPED[number]
    if width:
        content = b"".join(message.chunks(number))
        _check_count(what, n_wanted, -(-len(content) // width))
        return np.frombuffer(content, "<f4" if width == 4 else "<f8")
    whole = message.integers(number)
    _check_count(what, n_wanted, len(whole))
    if dtype == np.float16:  # kept as the bits of each
        return np.array([bits & 0xFFFF for bits in whole], np.uint16).view(np.float16)
    return np.array(whole, np.int64)


def _check_count(what: str, wanted: int, found: int) -> None:
    if wanted != found:
        raise BundleError(f"{what} claims {wanted:,} numbers and holds {found:,}")
