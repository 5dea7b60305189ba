"""Shapes of what is only moved, cut, joined or repeated."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from finding_nemo.core.errors import BundleError
from finding_nemo.models.onnx_check.onnx_known import (
    Rule,
    Shape,
    Taken,
    axis_of,
    broadcast,
    needed,
    one,
    wanted_numbers,
    whole_numbers,
)
from finding_nemo.models.onnx_check.onnx_wire import Node


def _concat_shape(node: Node, taken: Taken) -> Sequence[Shape]:
    shapes = [needed(taken, position).shape for position in range(len(taken))]
    first = needed(taken, 0).shape
    axis = axis_of(one(node, "axis", 0), len(first))
    for shape in shapes:
        if len(shape) != len(first) or any(
            size != first[position] for position, size in enumerate(shape) if position != axis
        ):
            raise BundleError(f"shapes {first} and {shape} cannot be joined")
    return [(*first[:axis], sum(shape[axis] for shape in shapes), *first[axis + 1 :])]


def _reshape_shape(node: Node, taken: Taken) -> Sequence[Shape]:
    source = needed(taken, 0)
    wanted = list(wanted_numbers(node, taken, 1, "shape"))
    if not one(node, "allowzero", 0):
        for position, size in enumerate(wanted):
            if size == 0:
                wanted[position] = source.shape[axis_of(position, len(source.shape))]
    if wanted.count(-1) == 1:
        rest = math.prod(size for size in wanted if size != -1)
        wanted[wanted.index(-1)] = source.size // rest if rest else 0
    if min(wanted, default=0) < 0 or math.prod(wanted) != source.size:
        raise BundleError(f"{source.shape} cannot become {tuple(wanted)}")
    return [tuple(wanted)]


def _flatten_shape(node: Node, taken: Taken) -> Sequence[Shape]:
    shape = needed(taken, 0).shape
    axis = one(node, "axis", 1)
    axis = axis + len(shape) if axis < 0 else axis
    return [(math.prod(shape[:axis]), math.prod(shape[axis:]))]


def _transpose_shape(node: Node, taken: Taken) -> Sequence[Shape]:
    shape = needed(taken, 0).shape
    order = node.ints.get("perm", tuple(reversed(range(len(shape)))))
    if sorted(order) != list(range(len(shape))):
        raise BundleError(f"{order} is no order of the axes of {shape}")
    return [tuple(shape[position] for position in order)]


def _squeeze_shape(node: Node, taken: Taken) -> Sequence[Shape]:
    shape = needed(taken, 0).shape
    wanted = whole_numbers(node, taken, 1, "axes")
    if wanted is None:
        return [tuple(size for size in shape if size != 1)]
    axes = {axis_of(number, len(shape)) for number in wanted}
    if any(shape[axis] != 1 for axis in axes):
        raise BundleError(f"axes {wanted} of {shape} are not of size 1")
    return [tuple(size for position, size in enumerate(shape) if position not in axes)]


def _unsqueeze_shape(node: Node, taken: Taken) -> Sequence[Shape]:
    shape = needed(taken, 0).shape
    wanted = wanted_numbers(node, taken, 1, "axes")
    rank = len(shape) + len(wanted)
    axes = {axis_of(number, rank) for number in wanted}
    rest = iter(shape)
    return [tuple(1 if position in axes else next(rest, 1) for position in range(rank))]


def _slice_shape(node: Node, taken: Taken) -> Sequence[Shape]:
    shape = list(needed(taken, 0).shape)
    starts = wanted_numbers(node, taken, 1, "starts")
    ends = wanted_numbers(node, taken, 2, "ends")
    axes = whole_numbers(node, taken, 3, "axes") or tuple(range(len(starts)))
    steps = whole_numbers(node, taken, 4) or (1,) * len(starts)
    for start, end, number, step in zip(starts, ends, axes, steps, strict=False):
        axis = axis_of(number, len(shape))
        if step == 0:
            raise BundleError("it slices in steps of 0")
        shape[axis] = len(range(*slice(start, end, step).indices(shape[axis])))
    return [tuple(shape)]


def _split_shape(node: Node, taken: Taken) -> Sequence[Shape]:
    shape = needed(taken, 0).shape
    axis = axis_of(one(node, "axis", 0), len(shape))
    sizes = whole_numbers(node, taken, 1, "split")
    if sizes is None:
        step = -(-shape[axis] // max(len(node.outputs), 1))
        starts = range(0, step * len(node.outputs), max(step, 1))
        sizes = tuple(max(min(step, shape[axis] - start), 0) for start in starts)
    if len(sizes) != len(node.outputs) or sum(sizes) != shape[axis] or min(sizes) < 0:
        raise BundleError(f"axis {axis} of {shape} cannot be split into {sizes}")
    return [(*shape[:axis], size, *shape[axis + 1 :]) for size in sizes]


def _gather_shape(node: Node, taken: Taken) -> Sequence[Shape]:
    shape, index = needed(taken, 0).shape, needed(taken, 1).shape
    axis = axis_of(one(node, "axis", 0), len(shape))
    return [(*shape[:axis], *index, *shape[axis + 1 :])]


def _of_second_shape(node: Node, taken: Taken) -> Sequence[Shape]:
    return [needed(taken, 1).shape]


def _expand_shape(node: Node, taken: Taken) -> Sequence[Shape]:
    return [broadcast(needed(taken, 0).shape, _natural(wanted_numbers(node, taken, 1)))]


def _filled_shape(node: Node, taken: Taken) -> Sequence[Shape]:
    return [_natural(wanted_numbers(node, taken, 0))]


def _natural(shape: Shape) -> Shape:
    if min(shape, default=0) < 0:
        raise BundleError(f"it has the shape {shape}")
    return shape


def _tile_shape(node: Node, taken: Taken) -> Sequence[Shape]:
    shape, times = needed(taken, 0).shape, _natural(wanted_numbers(node, taken, 1))
    if len(times) != len(shape):
        raise BundleError(f"{shape} cannot be repeated {times} times")
    return [tuple(size * count for size, count in zip(shape, times, strict=True))]


def _pad_shape(node: Node, taken: Taken) -> Sequence[Shape]:
    shape = list(needed(taken, 0).shape)
    pads = wanted_numbers(node, taken, 1, "pads")
    axes = whole_numbers(node, taken, 3) or tuple(range(len(shape)))
    if len(pads) != 2 * len(axes):
        raise BundleError(f"{len(pads)} paddings do not fit {len(axes)} axes")
    for position, number in enumerate(axes):
        axis = axis_of(number, len(shape))
        shape[axis] = max(shape[axis] + pads[position] + pads[position + len(axes)], 0)
    return [tuple(shape)]


def _resize_shape(node: Node, taken: Taken) -> Sequence[Shape]:
    shape = needed(taken, 0).shape
    axes = node.ints.get("axes", tuple(range(len(shape))))
    sizes = whole_numbers(node, taken, 3)
    found = list(shape)
    if sizes:
        new = dict(zip(axes, sizes, strict=False))
    else:
        scales = needed(taken, 2).values
        if scales is None:
            raise BundleError("the size of what it gives cannot be known beforehand")
        bounded = np.clip(scales.ravel().astype(np.float64), 0, 2.0**40).tolist()
        new = {
            axis: math.floor(shape[axis_of(axis, len(shape))] * by)
            for axis, by in zip(axes, bounded, strict=False)
        }
    for number, size in new.items():
        found[axis_of(number, len(shape))] = size
    return [_natural(tuple(found))]


def _range_shape(node: Node, taken: Taken) -> Sequence[Shape]:
    ends = [needed(taken, position).values for position in range(3)]
    numbers = [float(values.ravel()[0]) for values in ends if values is not None and values.size]
    if len(numbers) != 3 or not numbers[2] or not all(map(math.isfinite, numbers)):
        raise BundleError("the size of what it gives cannot be known beforehand")
    start, end, step = numbers
    return [(max(math.ceil((end - start) / step), 0),)]


def _dimensions_shape(node: Node, taken: Taken) -> Sequence[Shape]:
    return [(len(shape_values(node, needed(taken, 0).shape)),)]


def shape_values(node: Node, shape: Shape) -> Shape:
    """Return the dimensions that an operation `Shape` gives of `shape`."""
    return shape[slice(one(node, "start", 0), node.ints.get("end", (len(shape),))[0])]


def _number_shape(node: Node, taken: Taken) -> Sequence[Shape]:
    return [()]


def _top_shape(node: Node, taken: Taken) -> Sequence[Shape]:
    shape = needed(taken, 0).shape
    axis = axis_of(one(node, "axis", -1), len(shape))
    count = min(max(sum(wanted_numbers(node, taken, 1, "k")), 0), shape[axis])
    return [(*shape[:axis], count, *shape[axis + 1 :])] * 2


def _to_space_shape(node: Node, taken: Taken) -> Sequence[Shape]:
    n_images, n_maps, *sizes = needed(taken, 0).shape
    block = max(one(node, "blocksize", 1), 1)
    if node.op_type == "DepthToSpace":
        return [(n_images, n_maps // block ** len(sizes), *(size * block for size in sizes))]
    return [(n_images, n_maps * block ** len(sizes), *(size // block for size in sizes))]


MOVES: Mapping[str, Rule] = {
    **dict.fromkeys(("DepthToSpace", "SpaceToDepth"), _to_space_shape),
    "Concat": _concat_shape,
    "Reshape": _reshape_shape,
    "Flatten": _flatten_shape,
    "Transpose": _transpose_shape,
    "Squeeze": _squeeze_shape,
    "Unsqueeze": _unsqueeze_shape,
    "Slice": _slice_shape,
    "Split": _split_shape,
    "Gather": _gather_shape,
    "GatherElements": _of_second_shape,
    "Expand": _expand_shape,
    "ConstantOfShape": _filled_shape,
    "Tile": _tile_shape,
    "Pad": _pad_shape,
    "Resize": _resize_shape,
    "Range": _range_shape,
    "Shape": _dimensions_shape,
    "Size": _number_shape,
    "TopK": _top_shape,
}
