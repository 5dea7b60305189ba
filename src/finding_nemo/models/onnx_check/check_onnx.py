"""A network of a stranger, checked before any runtime is shown it.

A runtime trusts an ONNX file: it follows external data to any file that can be read, loops as long
as the file says and allots whatever it is asked for, some of it while it loads. So the file is read
here first, and only what networks for pixels are made of is passed on, as bytes: what was checked
is what is opened. Loops, branches and random numbers have no rule in `onnx_sizes` and are refused
with every other operation that has none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from finding_nemo.core.errors import BundleError
from finding_nemo.core.names.inference_names import PATCH_LOGITS
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.text.printable import printable
from finding_nemo.models.onnx_check.onnx_known import Shape, TensorFacts
from finding_nemo.models.onnx_check.onnx_sizes import RULES
from finding_nemo.models.onnx_check.onnx_tensor import FLOAT, MOST_DIMENSIONS
from finding_nemo.models.onnx_check.onnx_values import values_of
from finding_nemo.models.onnx_check.onnx_wire import Node, OnnxModel, Value, read_onnx

_DOMAINS = ("", "ai.onnx")
# From here on shapes, axes and the like are inputs, as the rules take them; ours are of 18.
_OLDEST_OPSET = 13
# Of numbers. The largest map of a network for frames of 4096 x 4096 px, 64 half as wide, is 2^28;
# all maps of the largest networks that timm has, at their own sizes, are 2^31.
_MOST_IN_A_TENSOR = 1 << 28
_MOST_IN_ALL = 1 << 32
# A runtime computes what depends on no image while it loads: weights in another form, no more.
_MOST_CONSTANT = 1 << 26
# In this order; a network may stop after any of them.
_OUTPUTS = ("logits", "features", PATCH_LOGITS)
# Of frames of 4096 x 4096 px with patches of 32 px. A row of predictions holds five maps.
_MOST_PATCHES = 1 << 14
# Products of two numbers, an image: a hundred times those of the largest networks of timm.
_MOST_PRODUCTS = 1e14


@dataclass(frozen=True, slots=True)
class CheckedNetwork:
    """What a network that was checked gives for one image.

    Attributes:
        n_outputs: Width of its first output.
        n_features: Width of its output "features"; 0 without one.
        grid: Rows and columns of its output "patch_logits"; `None` without one.
    """

    n_outputs: int
    n_features: int
    grid: tuple[int, int] | None = None


def check_network(content: bytes, preprocessing: Preprocessing) -> CheckedNetwork:
    """Check that a runtime may open a network, and return what it gives.

    Args:
        content: The bytes of the ONNX file.
        preprocessing: Size of the images that it must take.

    Raises:
        BundleError: If it is not of the form that `export_onnx` writes: one input "images", the
            outputs "logits" and perhaps "features" and "patch_logits", operations of ONNX itself
            whose sizes can be known, all data inside. The message begins with "it" for the network.
    """
    model = read_onnx(content)
    images = TensorFacts((1, 3, preprocessing.height_px, preprocessing.width_px))
    version = model.opsets.get("", 0)
    if version < _OLDEST_OPSET:
        raise BundleError(
            f"its operations are of version {version}; wanted is {_OLDEST_OPSET} or later"
        )
    _check_input(model.inputs, images.shape)
    facts = _follow(model, images)
    return _outputs(model.outputs, facts)


def _check_input(inputs: Sequence[Value], wanted: Shape) -> None:
    names = [value.name for value in inputs]
    if names != ["images"]:
        raise BundleError(f"its inputs are {_listed(names)}; wanted is one, 'images'")
    shape, kind = inputs[0].shape, inputs[0].elem_type
    if kind != FLOAT or len(shape) != 4 or shape[1:] != wanted[1:] or shape[0] not in (None, 1):
        raise BundleError(
            f"its images are of shape {_dims(shape)} and type {kind}; wanted are float32 "
            f"{_dims((None, *wanted[1:]))}, as the bundle's preprocessing says"
        )


def _dims(shape: Sequence[int | None]) -> str:
    return " x ".join("any" if size is None else str(size) for size in shape) or "none"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(printable(name)) for name in names[:5]) or "none"


def _outputs(outputs: Sequence[Value], facts: Mapping[str, TensorFacts]) -> CheckedNetwork:
    names = [value.name for value in outputs]
    if names != [*_OUTPUTS[: len(names)]] or not names:
        wanted = ", ".join(map(repr, _OUTPUTS))
        raise BundleError(f"its outputs are {_listed(names)}; wanted are {wanted}")
    widths = [_width(value, facts) for value in outputs[:2]]
    grid = _grid(outputs[2], facts, widths[0]) if len(outputs) > 2 else None
    return CheckedNetwork(widths[0], widths[1] if len(widths) > 1 else 0, grid)


def _width(value: Value, facts: Mapping[str, TensorFacts]) -> int:
    found = facts.get(value.name)
    if found is None or len(found.shape) != 2 or found.shape[0] != 1:
        shape = None if found is None else found.shape
        raise BundleError(f"its output {value.name} is of shape {shape}, wanted is (images, n)")
    _check_claims(value, found.shape)
    return found.shape[1]


def _grid(value: Value, facts: Mapping[str, TensorFacts], n_outputs: int) -> tuple[int, int]:
    found = facts.get(value.name)
    shape = None if found is None else found.shape
    if shape is None or len(shape) != 4 or shape[:2] != (1, n_outputs):
        raise BundleError(
            f"its output {value.name} is of shape {shape}, wanted is (images, {n_outputs}, rows, "
            "columns)"
        )
    _check_claims(value, shape)
    rows, columns = shape[2:]
    if not 1 <= rows * columns <= _MOST_PATCHES:
        raise BundleError(
            f"its output {value.name} has {rows} x {columns} patches; 1 to {_MOST_PATCHES} are "
            "allowed"
        )
    return rows, columns


def _check_claims(value: Value, shape: Shape) -> None:
    """Check that an output is what the file claims of it."""
    if value.elem_type != FLOAT:
        raise BundleError(f"its output {value.name} is of type {value.elem_type}, not float32")
    for claimed, found in zip(value.shape[1:], shape[1:], strict=False):
        if claimed not in (None, found):
            raise BundleError(
                f"its output {value.name} claims a width of {claimed} and has one of {found}"
            )


@dataclass
class _Sum:
    """What a network needs in all."""

    numbers: int = 0
    constants: int = 0
    products: float = 0.0

    def add(
        self, node: Node, taken: Sequence[TensorFacts | None], given: Sequence[TensorFacts]
    ) -> None:
        """Count an operation.

        Raises:
            BundleError: If that is too much.
        """
        for each in given:
            if len(each.shape) > MOST_DIMENSIONS:
                raise BundleError(f"it gives a tensor of {len(each.shape)} dimensions")
            if each.size > _MOST_IN_A_TENSOR:
                raise BundleError(
                    f"it gives a tensor of {each.size:.3g} numbers; {_MOST_IN_A_TENSOR:.3g} are "
                    "allowed"
                )
            self.numbers += each.size
            self.constants += each.size if each.is_constant else 0
            self.products += each.size * _products_each(node, taken)


def _products_each(node: Node, taken: Sequence[TensorFacts | None]) -> int:
    """Return how many products each number that a node gives takes, at least 1."""
    shapes = [each.shape for each in taken if each is not None]
    if node.op_type in ("Conv", "ConvInteger") and len(shapes) > 1:
        return math.prod(shapes[1][1:])
    if node.op_type == "QLinearConv" and len(shapes) > 3:
        return math.prod(shapes[3][1:])
    if node.op_type.endswith("Pool"):
        return math.prod(node.ints.get("kernel_shape", (1,)))
    if shapes and node.op_type in ("Gemm", "MatMul", "MatMulInteger", "QLinearMatMul"):
        return max(shapes[0], default=1)
    return 1


def _follow(model: OnnxModel, images: TensorFacts) -> dict[str, TensorFacts]:
    """Return what is known of every tensor, having followed the network once.

    Raises:
        BundleError: If an operation is not allowed, or too much would have to be held or computed.
    """
    facts = {
        name: TensorFacts(tensor.shape, tensor.values, is_constant=True)
        for name, tensor in model.initializers.items()
    }
    if "images" in facts:
        raise BundleError("one of its tensors has the name of its input")
    weights = sum(each.size for each in facts.values())
    facts["images"] = images
    total = _Sum()
    for node in model.nodes:
        try:
            taken = _taken(node, facts)
            given = _given(node, taken)
            total.add(node, taken, given)
        # Of what a stranger may set an operation with, not all is foreseen in each rule.
        except (ValueError, ArithmeticError, IndexError, TypeError) as error:
            name = printable(node.outputs[0]) if node.outputs else "no name"
            raise BundleError(
                f"operation {printable(node.op_type)} ({name[:80]}): {error}"
            ) from None
        for name, each in zip(node.outputs, given, strict=False):
            if name and name in facts:
                raise BundleError(f"two of its tensors have the name {printable(name)!r}")
            facts[name] = each
        facts.pop("", None)
        _check_total(total, weights)
    return facts


def _check_total(total: _Sum, weights: int) -> None:
    if total.numbers > _MOST_IN_ALL or total.products > _MOST_PRODUCTS:
        raise BundleError(
            f"it computes more than {_MOST_IN_ALL:.2g} numbers or {_MOST_PRODUCTS:.0g} products "
            "for one image"
        )
    if total.constants > _MOST_CONSTANT + 4 * weights:
        raise BundleError(
            f"it makes {total.constants:.3g} numbers of {weights:.3g} weights before any image"
        )


def _taken(node: Node, facts: Mapping[str, TensorFacts]) -> list[TensorFacts | None]:
    if node.domain not in _DOMAINS:
        raise BundleError(f"the operation is of the unknown domain {printable(node.domain)!r}")
    if node.op_type != "Constant" and node.op_type not in RULES:
        raise BundleError("the operation is not one of those that networks for pixels need")
    for name in node.inputs:
        if name and name not in facts:
            raise BundleError(f"it takes {printable(name)!r}, which nothing before it gives")
    return [facts[name] if name else None for name in node.inputs]


def _given(node: Node, taken: Sequence[TensorFacts | None]) -> list[TensorFacts]:
    if node.op_type == "Constant":
        return [_constant(node)]
    shapes = list(RULES[node.op_type](node, taken))
    is_constant = all(each is None or each.is_constant for each in taken)
    found = [TensorFacts(shape, None, is_constant) for shape in shapes]
    if found:
        found[0] = TensorFacts(shapes[0], values_of(node, taken, shapes[0]), is_constant)
    return found


def _constant(node: Node) -> TensorFacts:
    if node.tensor is not None:
        return TensorFacts(node.tensor.shape, node.tensor.values, is_constant=True)
    for name, numbers in (*node.ints.items(), *node.floats.items()):
        values = np.array(numbers)
        shaped = values if name.endswith("s") else values.reshape(())
        return TensorFacts(shaped.shape, shaped, is_constant=True)
    raise BundleError("it holds no number")
