"""Several networks as one: the mean of their logits, whatever each expects of pixels."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from finding_nemo.core.errors import BundleError
from finding_nemo.core.names.inference_names import RUNTIMES, RuntimeName
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.models.inference.runtime_choice import open_network, runtime_of
from finding_nemo.models.onnx_check.check_onnx import check_network
from finding_nemo.models.onnx_export.ensemble_graph import Member, join_networks
from finding_nemo.models.onnx_export.quantize import _left_in_float

HALVES = Preprocessing(width_px=6, height_px=5, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
OTHERS = Preprocessing(width_px=6, height_px=5, mean=(0.4, 0.2, 0.1), std=(0.5, 0.25, 0.2))
IMAGES = np.random.default_rng(3).integers(0, 256, (9, 5, 6, 3), dtype=np.uint8)


def head(seed: int) -> np.ndarray:
    drawn: np.ndarray = np.random.default_rng(seed).normal(size=(3, 4)).astype(np.float32)
    return drawn


def network(weights: np.ndarray, *, features: bool = True, opset: int = 18) -> bytes:
    """Features are the mean of each channel as given; logits are a linear head on them."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["images"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["features"]),
        helper.make_node("MatMul", ["features", "head"], ["logits"]),
    ]
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 3, 5, 6])
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 4])]
    if features:
        outputs.append(helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", 3]))
    graph = helper.make_graph(
        nodes, "g", [images], outputs, [numpy_helper.from_array(weights, "head")]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
    content: bytes = model.SerializeToString()
    return content


def with_maps(weights: np.ndarray, *, columns: int = 6) -> bytes:
    """The same, and the head on each pixel of the first `columns` columns."""
    model = onnx.load_from_string(network(weights))
    sizes = [3, 5, columns]
    starts = [numpy_helper.from_array(np.array([0, 0, 0], np.int64), "starts")]
    ends = [numpy_helper.from_array(np.array(sizes, np.int64), "ends")]
    axes = [numpy_helper.from_array(np.array([1, 2, 3], np.int64), "axes")]
    kernel = np.ascontiguousarray(weights.T[:, :, None, None])
    model.graph.initializer.extend(
        [*starts, *ends, *axes, numpy_helper.from_array(kernel, "kernel")]
    )
    model.graph.node.extend(
        [
            helper.make_node("Slice", ["images", "starts", "ends", "axes"], ["kept"]),
            helper.make_node("Conv", ["kept", "kernel"], ["patch_logits"]),
        ]
    )
    shape: list[str | int | None] = ["n", 4, 5, columns]
    model.graph.output.append(
        helper.make_tensor_value_info("patch_logits", TensorProto.FLOAT, shape)
    )
    content: bytes = model.SerializeToString()
    return content


def features_by_hand(spec: Preprocessing) -> np.ndarray:
    pooled: np.ndarray = ((IMAGES / 255 - spec.mean) / spec.std).mean(axis=(1, 2))
    return pooled


@pytest.mark.parametrize("runtime", [row.name for row in RUNTIMES.values()])
def test_two_networks__that_expect_other_pixels(runtime: RuntimeName) -> None:
    if not runtime_of(runtime).devices():
        pytest.skip(f"{runtime} is not installed")
    joined = join_networks(
        [Member(network(head(1)), HALVES, 0.75), Member(network(head(2)), OTHERS, 0.25)]
    )
    output = open_network(joined, HALVES, runtime=runtime).forward(IMAGES)
    first, second = features_by_hand(HALVES), features_by_hand(OTHERS)
    wanted = 0.75 * first @ head(1) + 0.25 * second @ head(2)
    assert output.features is not None
    np.testing.assert_allclose(output.outputs, wanted, atol=1e-5)
    np.testing.assert_allclose(output.features, np.hstack([first, second]), atol=1e-5)


def test_a_mean__worked_by_hand() -> None:
    ones = np.ones((3, 4), dtype=np.float32)
    joined = join_networks(
        [Member(network(ones), HALVES, 0.5), Member(network(-2 * ones), HALVES, 0.5)]
    )
    white = np.full((1, 5, 6, 3), 255, dtype=np.uint8)
    # White is 1 in each of three channels: logits 3 and -6.
    np.testing.assert_allclose(open_network(joined, HALVES).forward(white).outputs, -1.5, atol=1e-6)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(0.05, 1.0), min_size=2, max_size=4))
def test_any_number__equals_one_after_the_other(shares: list[float]) -> None:
    members = [
        Member(network(head(seed)), (HALVES, OTHERS)[seed % 2], share)
        for seed, share in enumerate(shares)
    ]
    wanted = np.zeros((9, 4))
    for seed, member in enumerate(members):
        wanted += member.share * (features_by_hand(member.preprocessing) @ head(seed))
    said = open_network(join_networks(members), HALVES).forward(IMAGES).outputs
    np.testing.assert_allclose(said, wanted, atol=1e-4)


def test_joined_networks__can_be_joined_again_and_always_alike() -> None:
    pair = [Member(network(head(1)), HALVES, 0.5), Member(network(head(2)), OTHERS, 0.5)]
    joined = join_networks(pair)
    assert joined == join_networks(pair)
    again = join_networks([Member(joined, HALVES, 0.5), Member(network(head(3)), HALVES, 0.5)])
    output = open_network(again, HALVES).forward(IMAGES)
    assert output.features is not None
    assert output.features.shape == (9, 9)
    alone = open_network(joined, HALVES).forward(IMAGES).outputs
    third = features_by_hand(HALVES) @ head(3)
    np.testing.assert_allclose(output.outputs, (alone + third) / 2, atol=1e-5)


def test_patch_logits__are_the_mean_where_all_have_one_grid() -> None:
    pair = [Member(with_maps(head(1)), HALVES, 0.75), Member(with_maps(head(2)), OTHERS, 0.25)]
    joined = join_networks(pair)
    output = open_network(joined, HALVES, with_maps=True).forward(IMAGES)
    wanted = np.zeros((9, 4, 5, 6))
    for seed, member in enumerate(pair, start=1):
        spec = member.preprocessing
        pixels = (IMAGES / 255 - spec.mean) / spec.std
        wanted += member.share * np.einsum("nrcf,fk->nkrc", pixels, head(seed))
    assert output.patch_logits is not None
    np.testing.assert_allclose(output.patch_logits, wanted, atol=1e-5)
    assert check_network(joined, HALVES).grid == (5, 6)
    bare = [Member(network(head(1)), HALVES, 0.75), Member(network(head(2)), OTHERS, 0.25)]
    alone = open_network(join_networks(bare), HALVES).forward(IMAGES)
    np.testing.assert_array_equal(output.outputs, alone.outputs)


def test_patch_logits__of_other_grids_or_of_some_members_are_none() -> None:
    first = Member(with_maps(head(1)), HALVES, 0.5)
    for other in (with_maps(head(2), columns=4), network(head(2))):
        joined = join_networks([first, Member(other, HALVES, 0.5)])
        assert check_network(joined, HALVES).grid is None
        output = open_network(joined, HALVES, with_maps=True).forward(IMAGES)
        assert output.patch_logits is None
        wanted = (features_by_hand(HALVES) @ head(1) + features_by_hand(HALVES) @ head(2)) / 2
        np.testing.assert_allclose(output.outputs, wanted, atol=1e-5)


def test_features__only_if_all_have_them() -> None:
    bare = Member(network(head(2), features=False), HALVES, 0.5)
    joined = join_networks([Member(network(head(1)), HALVES, 0.5), bare])
    assert open_network(joined, HALVES).n_features == 0


def test_networks_of_other_versions__are_refused() -> None:
    old = Member(network(head(2), opset=17), HALVES, 0.5)
    with pytest.raises(BundleError, match="different ONNX versions"):
        join_networks([Member(network(head(1)), HALVES, 0.5), old])


def test_int8__leaves_the_first_convolutions_of_each_network_in_float() -> None:
    nodes = []
    for branch in "ab":
        for number in range(8):
            source = "images" if number == 0 else f"{branch}{number - 1}"
            nodes.append(
                helper.make_node(
                    "Conv", [source, "w"], [f"{branch}{number}"], name=f"{branch}{number}"
                )
            )
    nodes.append(helper.make_node("Concat", ["a7", "b7"], ["out"], name="out"))
    left = [f"{branch}{number}" for branch in "ab" for number in range(6)]
    assert _left_in_float(nodes) == [*left, "out"]
