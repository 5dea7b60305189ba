"""An ONNX file read field by field, without onnx and before any runtime sees it.

Only what a network for pixels needs is read; whatever else a file may say (external data,
subgraphs, functions, sparse tensors, fields of later versions) is refused by its field's number,
so that a runtime is never asked to follow it.

Source:
    Protocol Buffers, "Encoding"; field numbers: onnx/onnx.proto, IR version 10.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from finding_nemo.core.errors import BundleError
from finding_nemo.core.text.printable import printable
from finding_nemo.models.onnx_check.onnx_tensor import Tensor, tensor_of
from finding_nemo.models.onnx_check.protobuf import Message, NotProtobufError

# densenet121 has 500 nodes, an ensemble of ten large networks some 20,000.
_MOST_NODES = 100_000

# What may be there, by field number; the name of each is for people.
_MODEL = {1: "ir_version", 2: "producer_name", 3: "producer_version", 4: "domain",
          5: "model_version", 6: "doc_string", 7: "graph", 8: "opset_import",
          14: "metadata_props"}  # fmt: skip
_GRAPH = {1: "node", 2: "name", 5: "initializer", 10: "doc_string", 11: "input", 12: "output",
          13: "value_info", 16: "metadata_props"}  # fmt: skip
_NODE = {1: "input", 2: "output", 3: "name", 4: "op_type", 5: "attribute", 6: "doc_string",
         7: "domain", 9: "metadata_props"}  # fmt: skip
_ATTRIBUTE = {1: "name", 2: "f", 3: "i", 4: "s", 5: "t", 7: "floats", 8: "ints",
              13: "doc_string", 20: "type"}  # fmt: skip
_REFUSED = {
    ("model", 20): "training information",
    ("model", 25): "functions of its own",
    ("model", 26): "a configuration of devices",
    ("graph", 14): "quantisation annotations",
    ("graph", 15): "sparse tensors",
    ("node", 8): "an overload of a function",
    ("node", 10): "a configuration of devices",
    ("attribute", 6): "a graph inside a node",
    ("attribute", 11): "graphs inside a node",
    ("attribute", 21): "a reference to a function's attribute",
}


@dataclass(frozen=True, slots=True)
class Node:
    """One operation.

    Attributes:
        op_type: Its name.
        domain: Whose operation it is; "" for ONNX itself.
        inputs: Names of what it takes; "" where an optional one is left out.
        outputs: Names of what it gives.
        ints: Whole numbers that it is set with, by name; one or several.
        floats: Real numbers, the same.
        texts: Words, by name.
        tensor: The tensor that a constant is, if it is one.
    """

    op_type: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    ints: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    floats: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    tensor: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Value:
    """An input or output of the network.

    Attributes:
        name: Its name.
        elem_type: ONNX's number of its type; 1 for float32.
        shape: One number a dimension, `None` where it is not fixed.
    """

    name: str
    elem_type: int
    shape: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class OnnxModel:
    """What an ONNX file says.

    Attributes:
        nodes: In order.
        initializers: Tensors by name.
        inputs: Of the network.
        outputs: Of the network.
        opsets: Version of the operations, by domain.
    """

    nodes: tuple[Node, ...]
    initializers: Mapping[str, Tensor]
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    opsets: Mapping[str, int]


def read_onnx(content: bytes) -> OnnxModel:
    """Return what an ONNX file says.

    Raises:
        BundleError: If it is no ONNX file, or holds anything that a network for pixels needs not.
    """
    try:
        return _model(Message(memoryview(content)))
    except NotProtobufError as error:
        raise BundleError(f"it is no ONNX file or is cut off: {error}") from None


def _model(message: Message) -> OnnxModel:
    _only(message, "model", _MODEL)
    graph = message.child(7)
    if graph is None:
        raise BundleError("it holds no network")
    _only(graph, "graph", _GRAPH)
    nodes = tuple(_node(node) for node in _few(graph, 1, "operations"))
    tensors = [tensor_of(each) for each in _few(graph, 5, "tensors")]
    by_name = {tensor.name: tensor for tensor in tensors}
    if len(by_name) != len(tensors):
        raise BundleError("two of its tensors have one name")
    return OnnxModel(
        nodes=nodes,
        initializers=by_name,
        inputs=tuple(_value(each) for each in graph.children(11)),
        outputs=tuple(_value(each) for each in graph.children(12)),
        opsets={opset.text(1): opset.number(2) for opset in message.children(8)},
    )


def _few(graph: Message, number: int, what: str) -> Sequence[Message]:
    found = graph.children(number)
    if len(found) > _MOST_NODES:
        raise BundleError(f"it holds {len(found)} {what}; at most {_MOST_NODES} are read")
    return found


def _only(message: Message, kind: str, facts: Mapping[int, str]) -> None:
    """Refuse fields that are not `facts`."""
    for number in message.numbers:
        if number not in facts:
            what = _REFUSED.get((kind, number), f"a field {number} of a {kind} that is not known")
            raise BundleError(f"it holds {what}")


def _node(message: Message) -> Node:
    op_type, domain = message.text(4), message.text(7)
    _only(message, "node", _NODE)
    ints: dict[str, tuple[int, ...]] = {}
    floats: dict[str, tuple[float, ...]] = {}
    texts: dict[str, str] = {}
    tensor: Tensor | None = None
    for attribute in message.children(5):
        try:
            _only(attribute, "attribute", _ATTRIBUTE)
        except BundleError as error:
            raise BundleError(f"operation {printable(op_type)}: {error}") from None
        name = attribute.text(1)
        if name in ints or name in floats or name in texts:
            raise BundleError(f"operation {printable(op_type)}: {printable(name)} is set twice")
        if (found := (*attribute.integers(3), *attribute.integers(8))) or 8 in attribute.numbers:
            ints[name] = found
        if real := (*attribute.reals(2), *attribute.reals(7)):
            floats[name] = real
        if 4 in attribute.numbers:
            texts[name] = attribute.text(4)
        if (child := attribute.child(5)) is not None:
            tensor = tensor_of(child)
    return Node(op_type, domain, message.texts(1), message.texts(2), ints, floats, texts, tensor)


def _value(message: Message) -> Value:
    name, kind = message.text(1), message.child(2)
    tensor = None if kind is None else kind.child(1)
    if kind is None or tensor is None or not set(kind.numbers) <= {1, 6}:
        raise BundleError(f"its value {printable(name)} is not a tensor")
    shape = tensor.child(2)
    dims = () if shape is None else tuple(_dim(each) for each in shape.children(1))
    return Value(name, tensor.number(1), dims)


def _dim(message: Message) -> int | None:
    return message.number(1) if 1 in message.numbers else None
