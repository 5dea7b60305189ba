"""Networks of strangers: what may be wrong with an ONNX file, each a change of a good one."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Change = Callable[[onnx.ModelProto], Any]


def patch_logits(*, shape: list[Any], kernel: tuple[int, ...]) -> Change:
    """Give the network a third output: a convolution of its images, claimed to be of a shape."""

    def how(model: onnx.ModelProto) -> None:
        weights = numpy_helper.from_array(np.zeros(kernel, np.float32), "patch_kernel")
        model.graph.initializer.append(weights)
        model.graph.node.append(
            helper.make_node("Conv", ["images", "patch_kernel"], ["patch_logits"])
        )
        model.graph.output.append(
            helper.make_tensor_value_info("patch_logits", TensorProto.FLOAT, ["batch", *shape])
        )

    return how


def external(location: str) -> Change:
    def how(model: onnx.ModelProto) -> None:
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=location)

    return how


def node(*nodes: Any) -> Change:
    def how(model: onnx.ModelProto) -> None:
        for place, each in enumerate(nodes):
            model.graph.node.insert(place, each)

    return how


def body(*, condition: bool = False) -> Any:
    value = helper.make_tensor_value_info
    names = [("i", TensorProto.INT64), ("c", TensorProto.BOOL)] if condition else []
    given = [value("out", TensorProto.FLOAT, None)]
    if condition:
        given.insert(0, value("c_out", TensorProto.BOOL, []))
    constant = helper.make_node("Constant", [], ["out"], value_float=1.0)
    same = [helper.make_node("Identity", ["c"], ["c_out"])] if condition else []
    taken = [value(name, kind, []) for name, kind in names]
    return helper.make_graph([constant, *same], "body", taken, given)


def number(name: str, values: Any) -> Any:
    return numpy_helper.from_array(np.asarray(values, np.int64), name)


def with_tensors(nodes: list[Any], *tensors: Any) -> Change:
    def how(model: onnx.ModelProto) -> None:
        node(*nodes)(model)
        model.graph.initializer.extend(tensors)

    return how


def a_function(model: onnx.ModelProto) -> None:
    inner = helper.make_node("Relu", ["x"], ["y"])
    opset = [helper.make_opsetid("", 18)]
    model.functions.append(helper.make_function("own", "Twice", ["x"], ["y"], [inner], opset))


def claimed(shape: list[int]) -> Change:
    def how(model: onnx.ModelProto) -> None:
        del model.graph.initializer[0].dims[:]
        model.graph.initializer[0].dims.extend(shape)

    return how


def narrower(model: onnx.ModelProto) -> None:
    weight = numpy_helper.to_array(model.graph.initializer[1])[:, :-1]
    model.graph.initializer[1].CopyFrom(numpy_helper.from_array(weight.copy(), "weight"))
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value -= 1


def older(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 9


def lying(model: onnx.ModelProto) -> None:
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 29


def with_nan(model: onnx.ModelProto) -> None:
    weight = numpy_helper.to_array(model.graph.initializer[1]).copy()
    weight[2, 3] = np.nan
    model.graph.initializer[1].CopyFrom(numpy_helper.from_array(weight, "weight"))


def deep(model: onnx.ModelProto) -> None:
    graph = body()
    for _ in range(40):
        outer = helper.make_node("If", ["c"], ["out"], then_branch=graph, else_branch=graph)
        graph = helper.make_graph([outer], "deep", [], [graph.output[0]])
        if graph.ByteSize() > 1_000_000:
            break
    node(helper.make_node("If", ["c"], ["x"], then_branch=graph, else_branch=graph))(model)


def renamed(model: onnx.ModelProto) -> None:
    model.graph.input[0].name = "pictures"


def doubling(model: onnx.ModelProto) -> None:
    names = ["images", *(f"twice{k}" for k in range(40))]
    joined = [helper.make_node("Concat", [a, a], [b], axis=3) for a, b in pairwise(names)]
    node(*joined)(model)


def outer_product(model: onnx.ModelProto) -> None:
    ones = np.ones(1 << 17, np.float32)
    parts = [numpy_helper.from_array(ones[:, None], "tall"),
             numpy_helper.from_array(ones[None], "wide")]  # fmt: skip
    with_tensors([helper.make_node("Add", ["tall", "wide"], ["huge"])], *parts)(model)


def many_constants(model: onnx.ModelProto) -> None:
    filled = [helper.make_node("ConstantOfShape", ["s"], [f"zeros{k}"]) for k in range(9)]
    with_tensors(filled, number("s", [1 << 27]))(model)


def sparse(model: onnx.ModelProto) -> None:
    values, indices = helper.make_tensor("s", 1, [1], [1.0]), number("i", [0])
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [1 << 40]))


LOOP = helper.make_node("Loop", ["", ""], ["x"], body=body(condition=True))


SCAN = helper.make_node("Scan", ["images"], ["x"], body=body(), num_scan_inputs=1)


IF = helper.make_node("If", ["c"], ["x"], then_branch=body(), else_branch=body())


HUGE = [1 << 20, 1 << 20]
