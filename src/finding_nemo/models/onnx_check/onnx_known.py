"""What is known of a network's tensors before anything is computed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from finding_nemo.core.errors import BundleError
from finding_nemo.models.onnx_check.onnx_wire import Node

Shape = tuple[int, ...]
Numbers = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class TensorFacts:
    """What is known of a tensor.

    Attributes:
        shape: Its dimensions, for one image.
        values: Its numbers where they are few and do not depend on the image, else `None`.
        is_constant: Whether it depends on no image: a runtime computes it while it loads.
    """

    shape: Shape
    values: Numbers | None = None
    is_constant: bool = False

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)


Taken = Sequence[TensorFacts | None]
Rule = Callable[[Node, Taken], Sequence[Shape]]


def needed(taken: Taken, position: int) -> TensorFacts:
    """Return input `position`; refuse if it is missing."""
    if position >= len(taken) or (found := taken[position]) is None:
        raise BundleError(f"its input {position} is missing")
    return found


def whole_numbers(
    node: Node, taken: Taken, position: int, name: str = ""
) -> tuple[int, ...] | None:
    """Return whole numbers from an attribute, or from an input that must be known."""
    if name in node.ints:
        return node.ints[name]
    if position >= len(taken) or taken[position] is None:
        return None
    found = needed(taken, position)
    if found.values is None or found.values.dtype.kind not in "iub":
        raise BundleError("the size of what it gives cannot be known beforehand")
    return tuple(int(number) for number in found.values.ravel())


def wanted_numbers(node: Node, taken: Taken, position: int, name: str = "") -> tuple[int, ...]:
    """Return `whole_numbers`; refuse if there are none."""
    found = whole_numbers(node, taken, position, name)
    if found is None:
        raise BundleError(f"its input {position} is missing")
    return found


def one(node: Node, name: str, usual: int) -> int:
    """Return the first number of an attribute, `usual` if it is not set."""
    found = node.ints.get(name, (usual,))
    return found[0] if found else usual


def axis_of(number: int, rank: int) -> int:
    """Return the axis that `number` means, counted from either end."""
    if not -rank <= number < max(rank, 1):
        raise BundleError(f"it has no axis {number} of {rank}")
    return number % max(rank, 1)


def broadcast(*shapes: Shape) -> Shape:
    """Return the shape of tensors that are stretched to each other.

    Raises:
        BundleError: If they do not fit.
    """
    rank = max((len(shape) for shape in shapes), default=0)
    result = [1] * rank
    for shape in shapes:
        for position, size in enumerate(shape, start=rank - len(shape)):
            if size != 1 and result[position] not in (1, size):
                raise BundleError(f"shapes {', '.join(map(str, shapes))} do not fit")
            result[position] = size if size != 1 else result[position]
    return tuple(result)
