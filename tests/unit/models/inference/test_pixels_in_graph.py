"""Pixels into a network: normalised in its graph as they are normalised before it."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from finding_nemo.core.arrays import Pixels
from finding_nemo.core.errors import BundleError
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.data.images.resize import normalise_pixels
from finding_nemo.models.inference.onnxruntime_network import OnnxNetwork
from finding_nemo.models.inference.pixels_in_graph import with_pixels_in
from finding_nemo.models.onnx_check.protobuf import Message, encode_bytes, encode_number

SPEC = Preprocessing(width_px=6, height_px=5, mean=(0.5, 0.25, 0.1), std=(0.5, 0.5, 0.2))


def as_it_is(spec: Preprocessing) -> bytes:
    """A network that gives what it takes."""
    shape: list[str | int | None] = ["n", 3, spec.height_px, spec.width_px]
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)
    same = helper.make_tensor_value_info("same", TensorProto.FLOAT, shape)
    graph = helper.make_graph(
        [helper.make_node("Identity", ["images"], ["same"])], "same", [images], [same]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 10
    content: bytes = model.SerializeToString()
    return content


def every_level() -> Pixels:
    """Frames of 6 x 5 in which every channel has every level."""
    levels = np.random.default_rng(0).permuted(np.tile(np.arange(256), (3, 1)), axis=1)
    filled = np.concatenate([levels, levels[:, :14]], axis=1)
    return filled.reshape(3, 9, 5, 6).transpose(1, 2, 3, 0).astype(np.uint8)


def test_pixels_in__are_the_numbers_worked_by_hand() -> None:
    network = OnnxNetwork(with_pixels_in(as_it_is(SPEC), SPEC))
    assert network.takes_pixels
    frame = np.zeros((1, 5, 6, 3), dtype=np.uint8)
    frame[0, 2, 4] = (255, 51, 102)
    found = network.outputs(frame)[0]
    np.testing.assert_allclose(found[:, 2, 4], [1.0, -0.1, 1.5], atol=1e-6)
    np.testing.assert_allclose(found[:, 0, 0], [-1.0, -0.5, -0.5], atol=1e-6)


def test_pixels_in__equal_normalised_pixels_to_the_last_bit() -> None:
    frames = every_level()
    inside = OnnxNetwork(with_pixels_in(as_it_is(SPEC), SPEC)).outputs(frames)
    before = OnnxNetwork(as_it_is(SPEC))
    assert not before.takes_pixels
    np.testing.assert_array_equal(inside, before.outputs(normalise_pixels(frames, SPEC)))
    slow = (frames.astype(np.float64) / 255 - SPEC.mean) / SPEC.std
    np.testing.assert_allclose(inside, slow.transpose(0, 3, 1, 2), atol=1e-6)


def test_pixels_in__is_a_network_that_onnx_itself_accepts() -> None:
    made = onnx.load_from_string(with_pixels_in(as_it_is(SPEC), SPEC))
    onnx.checker.check_model(made, full_check=True)
    (only,) = made.graph.input
    assert only.type.tensor_type.elem_type == TensorProto.UINT8
    assert [each.dim_value for each in only.type.tensor_type.shape.dim] == [0, 5, 6, 3]
    assert [each.name for each in made.graph.output] == ["same"]


def test_pixels_in__refuses_what_is_no_network() -> None:
    for content in (b"", b"nothing"):
        with pytest.raises(BundleError, match="no ONNX file or is cut off"):
            with_pixels_in(content, SPEC)


def test_pixels_in__refuses_frames_of_another_size() -> None:
    network = OnnxNetwork(with_pixels_in(as_it_is(SPEC), SPEC))
    with pytest.raises(Exception, match="invalid dimensions"):
        network.outputs(np.zeros((1, 6, 5, 3), dtype=np.uint8))


@settings(max_examples=50)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.integers(1, 40), st.binary(max_size=200)),
            st.tuples(st.integers(1, 40), st.integers(0, 2**64 - 1)),
        )
    ),
    st.sets(st.integers(1, 40), max_size=5),
)
def test_encoded__is_the_message_again(
    fields: list[tuple[int, bytes | int]], left_out: set[int]
) -> None:
    content = b"".join(
        encode_number(number, value) if isinstance(value, int) else encode_bytes(number, value)
        for number, value in fields
    )
    again = Message(memoryview(Message(memoryview(content)).encoded(leaving_out=left_out)))
    for number in {number for number, _ in fields}:
        values = [value for at, value in fields if at == number and at not in left_out]
        if all(isinstance(value, bytes) for value in values):
            assert [bytes(chunk) for chunk in again.chunks(number)] == values
        elif all(isinstance(value, int) for value in values):
            assert [value % 2**64 for value in again.integers(number)] == values


def test_encoded__keeps_numbers_of_fixed_length() -> None:
    # Field 1: the float 1.5; field 2: eight bytes.
    content = b"\x0d\x00\x00\xc0\x3f\x11" + bytes(range(8))
    assert Message(memoryview(content)).encoded() == content
