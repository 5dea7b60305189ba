"""The numbers of small tensors that depend on no image: shapes, axes, scales.

Networks work out many shapes from the shape of their images. Only what that takes is computed here,
on at most 1,024 numbers at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from finding_nemo.models.onnx_check.onnx_known import Numbers, Shape, TensorFacts
from finding_nemo.models.onnx_check.onnx_moves import shape_values
from finding_nemo.models.onnx_check.onnx_wire import Node

_SMALL = 1024
_WHOLE_TYPES = frozenset({2, 3, 4, 5, 6, 7, 12, 13})
_BOOLEAN = 9

Function = Callable[..., Any]

_ELEMENTWISE: Mapping[str, Function] = {
    "Abs": np.abs, "Add": np.add, "And": np.logical_and, "Ceil": np.ceil, "Equal": np.equal,
    "Floor": np.floor, "Greater": np.greater, "GreaterOrEqual": np.greater_equal,
    "Identity": np.asarray, "Less": np.less, "LessOrEqual": np.less_equal, "Mul": np.multiply,
    "Neg": np.negative, "Not": np.logical_not, "Or": np.logical_or, "Sub": np.subtract,
    "Where": np.where, "Min": lambda *all_: _folded(np.minimum, all_),
    "Max": lambda *all_: _folded(np.maximum, all_), "Sum": lambda *all_: _folded(np.add, all_),
    "Div": lambda a, b: _divided(a, b), "Mod": np.mod, "Sqrt": np.sqrt,
}  # fmt: skip
_RESHAPING = frozenset({"Reshape", "Squeeze", "Unsqueeze", "Flatten"})


def values_of(node: Node, taken: Sequence[TensorFacts | None], shape: Shape) -> Numbers | None:
    """Return the numbers of a node's first output, `None` where they are not known.

    Args:
        node: The operation.
        taken: What is known of its inputs.
        shape: Of the output.
    """
    if node.op_type == "Shape" and taken and taken[0] is not None:
        return np.array(shape_values(node, taken[0].shape), np.int64)
    if node.op_type == "Size" and taken and taken[0] is not None:
        return np.array(taken[0].size, np.int64)
    if math.prod(shape) > _SMALL or not taken:
        return None
    given = [each.values for each in taken if each is not None]
    if any(values is None for values in given):
        return None
    try:
        with np.errstate(all="ignore"):
            found = _computed(node, [values for values in given if values is not None], shape)
    except (ArithmeticError, IndexError, OverflowError, TypeError, ValueError):
        return None
    return found if found is None or found.shape == shape else None


def _computed(node: Node, given: Sequence[Numbers], shape: Shape) -> Numbers | None:
    if node.op_type in _ELEMENTWISE:
        return np.asarray(_ELEMENTWISE[node.op_type](*given))
    if node.op_type in _RESHAPING:
        return given[0].reshape(shape)
    axis = node.ints.get("axis", (0,))[0]
    others: Mapping[str, Callable[[], Numbers | None]] = {
        "Cast": lambda: _cast(given[0], node.ints.get("to", (0,))[0]),
        "Concat": lambda: np.concatenate(given, axis=axis),
        "ConstantOfShape": lambda: _filled(node, shape),
        "Expand": lambda: np.broadcast_to(given[0], shape),
        "Gather": lambda: np.take(given[0], given[1].astype(np.int64), axis=axis),
        "Range": lambda: np.arange(*(values.ravel()[0] for values in given)),
        "ReduceProd": lambda: None if shape else np.asarray(np.prod(given[0])),
        "Slice": lambda: _sliced(given),
    }
    return others[node.op_type]() if node.op_type in others else None


def _filled(node: Node, shape: Shape) -> Numbers | None:
    filling = np.zeros(1) if node.tensor is None else node.tensor.values
    return None if filling is None else np.full(shape, filling.ravel()[0])


def _sliced(given: Sequence[Numbers]) -> Numbers:
    source, starts, ends = given[0], given[1].ravel(), given[2].ravel()
    axes = given[3].ravel() if len(given) > 3 else np.arange(len(starts))
    steps = given[4].ravel() if len(given) > 4 else np.ones(len(starts), np.int64)
    cut: list[slice] = [slice(None)] * source.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        cut[int(axis)] = slice(int(start), int(end), int(step))
    return source[tuple(cut)]


def _cast(values: Numbers, kind: int) -> Numbers:
    if kind in _WHOLE_TYPES:
        return values.astype(np.int64)
    return values.astype(np.bool_ if kind == _BOOLEAN else np.float64)


def _divided(left: Numbers, right: Numbers) -> Numbers:
    if left.dtype.kind in "iu" and right.dtype.kind in "iu":
        return np.trunc(left / right).astype(np.int64)
    return np.asarray(left / right)


def _folded(function: Function, given: Sequence[Numbers]) -> Numbers:
    result = given[0]
    for values in given[1:]:
        result = function(result, values)
    return result
