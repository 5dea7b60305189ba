"""Shapes of what layers compute: convolutions, products, pools, sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from finding_nemo.core.errors import BundleError
from finding_nemo.models.onnx_check.onnx_known import (
    Rule,
    Shape,
    Taken,
    axis_of,
    broadcast,
    needed,
    one,
    whole_numbers,
)
from finding_nemo.models.onnx_check.onnx_wire import Node


def _same_shape(node: Node, taken: Taken) -> Sequence[Shape]:
    shape = needed(taken, 0).shape
    return [shape] * len(node.outputs)


def _first_then_numbers_shape(node: Node, taken: Taken) -> Sequence[Shape]:
    """DynamicQuantizeLinear: the tensor, its scale, its zero point."""
    return [needed(taken, 0).shape, (), ()]


def _broadcast_shape(node: Node, taken: Taken) -> Sequence[Shape]:
    return [broadcast(*(each.shape for each in taken if each is not None))]


def _matmul_shape(node: Node, taken: Taken) -> Sequence[Shape]:
    positions = (0, 3) if node.op_type == "QLinearMatMul" else (0, 1)
    left, right = (needed(taken, position).shape for position in positions)
    if not left or not right:
        raise BundleError("it multiplies no matrices")
    rows = left[-2:-1] if len(left) > 1 else ()
    columns = right[-1:] if len(right) > 1 else ()
    inner = right[-2] if len(right) > 1 else right[0]
    if left[-1] != inner:
        raise BundleError(f"matrices of {left} and {right} do not fit")
    return [(*broadcast(left[:-2], right[:-2]), *rows, *columns)]


def _gemm_shape(node: Node, taken: Taken) -> Sequence[Shape]:
    left, right = needed(taken, 0).shape, needed(taken, 1).shape
    if len(left) != 2 or len(right) != 2:
        raise BundleError("it multiplies no matrices")
    left = left[::-1] if one(node, "transA", 0) else left
    right = right[::-1] if one(node, "transB", 0) else right
    if left[1] != right[0]:
        raise BundleError(f"matrices of {left} and {right} do not fit")
    return [(left[0], right[1])]


def _conv_shape(node: Node, taken: Taken) -> Sequence[Shape]:
    images = needed(taken, 0).shape
    weights = needed(taken, 3 if node.op_type == "QLinearConv" else 1).shape
    if len(images) < 3 or len(weights) != len(images):
        raise BundleError(f"weights {weights} do not fit maps {images}")
    kernel = node.ints.get("kernel_shape", weights[2:])
    if kernel != weights[2:] or weights[1] * one(node, "group", 1) != images[1]:
        raise BundleError(f"weights {weights} do not fit maps {images}")
    return [(images[0], weights[0], *_slid(node, images[2:], kernel))]


def _pool_shape(node: Node, taken: Taken) -> Sequence[Shape]:
    images = needed(taken, 0).shape
    shape = (*images[:2], *_slid(node, images[2:], node.ints.get("kernel_shape", ())))
    return [shape] * len(node.outputs)


def _slid(node: Node, sizes: Shape, kernel: Shape) -> Shape:
    """Return how often a window fits, along each axis."""
    rank = len(sizes)
    strides = node.ints.get("strides", (1,) * rank)
    dilations = node.ints.get("dilations", (1,) * rank)
    pads = node.ints.get("pads", (0,) * 2 * rank)
    if (len(kernel), len(strides), len(dilations), len(pads)) != (rank, rank, rank, 2 * rank) or (
        min((*kernel, *strides, *dilations), default=1) < 1 or min(pads, default=0) < 0
    ):
        raise BundleError(f"its window does not fit maps of {rank} axes")
    found = []
    how = node.texts.get("auto_pad", "NOTSET")
    for axis, size in enumerate(sizes):
        if how.startswith("SAME"):
            found.append(-(-size // strides[axis]))
            continue
        padding = 0 if how == "VALID" else pads[axis] + pads[axis + rank]
        room = size + padding - dilations[axis] * (kernel[axis] - 1) - 1
        steps = -(-room // strides[axis]) if one(node, "ceil_mode", 0) else room // strides[axis]
        found.append(max(steps + 1, 0))
    return tuple(found)


def _global_pool_shape(node: Node, taken: Taken) -> Sequence[Shape]:
    images = needed(taken, 0).shape
    return [(*images[:2], *(1 for _ in images[2:]))]


def _reduced_shape(node: Node, taken: Taken) -> Sequence[Shape]:
    shape = needed(taken, 0).shape
    wanted = whole_numbers(node, taken, 1, "axes")
    if not wanted:
        kept = bool(one(node, "noop_with_empty_axes", 0))
        wanted = () if kept else tuple(range(len(shape)))
    return [_without(node, shape, wanted)]


def _arg_shape(node: Node, taken: Taken) -> Sequence[Shape]:
    return [_without(node, needed(taken, 0).shape, (one(node, "axis", 0),))]


def _without(node: Node, shape: Shape, wanted: Sequence[int]) -> Shape:
    axes = {axis_of(number, len(shape)) for number in wanted} if shape else set()
    keeps = bool(one(node, "keepdims", 1))
    return tuple(
        1 if position in axes else size
        for position, size in enumerate(shape)
        if keeps or position not in axes
    )


_SAME = [
    "Abs",
    "Acos",
    "Asin",
    "Atan",
    "Cast",
    "Ceil",
    "Celu",
    "Clip",
    "Cos",
    "Cosh",
    "CumSum",
    "Elu",
    "Erf",
    "Exp",
    "Floor",
    "Gelu",
    "HardSigmoid",
    "HardSwish",
    "Hardmax",
    "Identity",
    "IsInf",
    "IsNaN",
    "LRN",
    "LeakyRelu",
    "Log",
    "LogSoftmax",
    "LpNormalization",
    "Mish",
    "Neg",
    "Not",
    "QuantizeLinear",
    "DequantizeLinear",
    "Reciprocal",
    "Relu",
    "Round",
    "ScatterElements",
    "ScatterND",
    "Selu",
    "Shrink",
    "Sigmoid",
    "Sign",
    "Sin",
    "Sinh",
    "Softmax",
    "Softplus",
    "Softsign",
    "Sqrt",
    "Swish",
    "Tan",
    "Tanh",
    "ThresholdedRelu",
    "Trilu",
    "BatchNormalization",
    "GroupNormalization",
    "InstanceNormalization",
    "LayerNormalization",
    "MeanVarianceNormalization",
    "RMSNormalization",
]
_STRETCHED = [
    "Add",
    "And",
    "Div",
    "Equal",
    "Greater",
    "GreaterOrEqual",
    "Less",
    "LessOrEqual",
    "Max",
    "Mean",
    "Min",
    "Mod",
    "Mul",
    "Or",
    "PRelu",
    "Pow",
    "Sub",
    "Sum",
    "Where",
    "Xor",
]
_REDUCING = [
    "ReduceL1",
    "ReduceL2",
    "ReduceLogSum",
    "ReduceLogSumExp",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceProd",
    "ReduceSum",
    "ReduceSumSquare",
]

LAYERS: Mapping[str, Rule] = {
    **dict.fromkeys(_SAME, _same_shape),
    **dict.fromkeys(_STRETCHED, _broadcast_shape),
    **dict.fromkeys(_REDUCING, _reduced_shape),
    **dict.fromkeys(("MatMul", "MatMulInteger", "QLinearMatMul"), _matmul_shape),
    **dict.fromkeys(("Conv", "ConvInteger", "QLinearConv"), _conv_shape),
    **dict.fromkeys(("MaxPool", "AveragePool", "LpPool"), _pool_shape),
    **dict.fromkeys(("GlobalAveragePool", "GlobalMaxPool"), _global_pool_shape),
    **dict.fromkeys(("ArgMax", "ArgMin"), _arg_shape),
    "DynamicQuantizeLinear": _first_then_numbers_shape,
    "Gemm": _gemm_shape,
}
