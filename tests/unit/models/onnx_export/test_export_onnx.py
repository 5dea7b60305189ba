"""What is done to an exported graph before anybody opens it."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

from finding_nemo.models.onnx_export.export_onnx import _gather_rows

_TABLE = np.arange(12, dtype=np.float32).reshape(4, 3)


def model_of(numbers: np.ndarray, **attributes: Any) -> onnx.ModelProto:
    """Return a network that takes what `numbers` address from a table, as the exporter writes."""
    node = helper.make_node("GatherND", ["table", "numbers"], ["taken"], **attributes)
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("table", onnx.TensorProto.FLOAT, ["rows", 3])],
        [helper.make_tensor_value_info("taken", onnx.TensorProto.FLOAT, None)],
        [numpy_helper.from_array(numbers.astype(np.int64), "numbers")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def computed(model: onnx.ModelProto) -> np.ndarray:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return np.asarray(session.run(None, {"table": _TABLE})[0])


@pytest.mark.parametrize("numbers", [[[2], [0], [2]], [[[3], [1]]]])
def test_whole_rows__are_gathered_as_before_by_the_plainer_operation(numbers: list[object]) -> None:
    model = model_of(np.array(numbers), batch_dims=0)
    wanted = computed(model)
    np.testing.assert_array_equal(wanted, _TABLE[np.array(numbers)[..., 0]])
    _gather_rows(model.graph)
    assert [node.op_type for node in model.graph.node] == ["Gather"]
    np.testing.assert_array_equal(computed(model), wanted)


def test_single_numbers__are_left_as_they_are() -> None:
    model = model_of(np.array([[2, 1], [0, 0]]))
    before = model.SerializeToString()
    _gather_rows(model.graph)
    assert model.SerializeToString() == before
    in_batches = model_of(np.zeros((4, 1)), batch_dims=1)
    _gather_rows(in_batches.graph)
    assert in_batches.graph.node[0].op_type == "GatherND"


@pytest.mark.parametrize("axis", [-1, 1, 0])
def test_whole_rows__by_numbers_that_are_given_an_axis_in_the_graph(axis: int) -> None:
    model = model_of(np.array([2, 0, 2]))
    (node,) = model.graph.node
    node.input[1] = "apart"
    apart = helper.make_node("Unsqueeze", ["numbers", "axes"], ["apart"])
    model.graph.node.insert(0, apart)
    model.graph.initializer.append(numpy_helper.from_array(np.array([axis]), "axes"))
    if axis == 0:
        # One number of three parts, which no table of two axes has.
        _gather_rows(model.graph)
        assert [node.op_type for node in model.graph.node] == ["Unsqueeze", "GatherND"]
        return
    wanted = computed(model)
    np.testing.assert_array_equal(wanted, _TABLE[[2, 0, 2]])
    _gather_rows(model.graph)
    assert [node.op_type for node in model.graph.node] == ["Gather"]
    np.testing.assert_array_equal(computed(model), wanted)
