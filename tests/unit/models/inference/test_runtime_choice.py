"""Every runtime: the same numbers, alone or beside others, and a choice that says why."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from finding_nemo.core.errors import BundleError, SettingsError
from finding_nemo.core.names.inference_names import RUNTIMES, RuntimeOption
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.models.inference import openvino_network
from finding_nemo.models.inference.onnxruntime_network import (
    CPU_PROVIDER,
    GPU_BATCH,
    OnnxNetwork,
    OnnxPixels,
)
from finding_nemo.models.inference.pixel_network import NetworkOutput, RuntimeChoice
from finding_nemo.models.inference.runtime_choice import choose_runtime, open_network, runtime_of

SPEC = Preprocessing(width_px=6, height_px=5, mean=(0.5, 0.25, 0.1), std=(0.5, 0.5, 0.2))
RNG = np.random.default_rng(3)
HEAD = RNG.normal(size=(3, 4)).astype(np.float32)
IMAGES = RNG.integers(0, 256, (9, 5, 6, 3), dtype=np.uint8)


def two_outputs() -> bytes:
    """Features are the mean of each normalised channel; logits are a linear head on them."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["images"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["features"]),
        helper.make_node("MatMul", ["features", "head"], ["logits"]),
    ]
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 3, 5, 6])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 4])
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", 3])
    head = numpy_helper.from_array(HEAD, "head")
    graph = helper.make_graph(nodes, "two", [images], [logits, features], [head])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 10
    content: bytes = model.SerializeToString()
    return content


def three_outputs() -> bytes:
    """The same, and what each pixel says: the head on its normalised channels."""
    content = onnx.load_from_string(two_outputs())
    kernel = numpy_helper.from_array(np.ascontiguousarray(HEAD.T[:, :, None, None]), "kernel")
    content.graph.initializer.append(kernel)
    content.graph.node.append(helper.make_node("Conv", ["images", "kernel"], ["patch_logits"]))
    shape: list[str | int | None] = ["n", 4, 5, 6]
    content.graph.output.append(
        helper.make_tensor_value_info("patch_logits", TensorProto.FLOAT, shape)
    )
    made: bytes = content.SerializeToString()
    return made


def by_hand(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    features = ((images / 255 - SPEC.mean) / SPEC.std).mean(axis=(1, 2))
    return features @ HEAD, features


@pytest.fixture(params=RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> RuntimeOption:
    if not runtime_of(request.param).devices():
        pytest.skip(f"{request.param} is not installed")
    name: RuntimeOption = request.param
    return name


def test_both_outputs__are_those_worked_by_hand(runtime: RuntimeOption) -> None:
    network = open_network(two_outputs(), SPEC, runtime=runtime)
    assert (network.choice.runtime, network.choice.reason) == (runtime, "as asked")
    assert network.n_features == 3
    output = network.forward(IMAGES)
    logits, features = by_hand(IMAGES)
    np.testing.assert_allclose(output.outputs, logits, atol=1e-5)
    assert output.features is not None
    np.testing.assert_allclose(output.features, features, atol=1e-5)


def test_patch_logits__are_given_where_they_are_asked_for(runtime: RuntimeOption) -> None:
    plain = open_network(three_outputs(), SPEC, runtime=runtime).forward(IMAGES)
    mapped = open_network(three_outputs(), SPEC, runtime=runtime, with_maps=True).forward(IMAGES)
    assert plain.patch_logits is None
    assert mapped.patch_logits is not None
    wanted = np.einsum("nrcf,fk->nkrc", (IMAGES / 255 - SPEC.mean) / SPEC.std, HEAD)
    np.testing.assert_allclose(mapped.patch_logits, wanted, atol=1e-5)
    np.testing.assert_allclose(mapped.patch_logits.mean(axis=(2, 3)), mapped.outputs, atol=1e-5)
    np.testing.assert_array_equal(plain.outputs, mapped.outputs)
    np.testing.assert_array_equal(plain.features, mapped.features)
    older = open_network(two_outputs(), SPEC, runtime=runtime, with_maps=True).forward(IMAGES)
    assert older.patch_logits is None
    np.testing.assert_array_equal(older.outputs, mapped.outputs)


def test_many_threads__give_each_image_its_own_numbers(runtime: RuntimeOption) -> None:
    network = open_network(two_outputs(), SPEC, runtime=runtime, workers=3)
    together = network.forward(IMAGES).outputs
    with ThreadPoolExecutor(6) as pool:
        alone = list(pool.map(lambda image: network.forward(image[np.newaxis]).outputs[0], IMAGES))
    np.testing.assert_array_equal(np.stack(alone), together)


def test_damaged_network__is_a_clear_message(runtime: RuntimeOption, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"nothing")
    with pytest.raises(BundleError, match=r"model\.onnx.*Train or copy it again"):
        open_network(path, SPEC, runtime=runtime)


@pytest.mark.parametrize(
    ("offered", "device"),
    [
        (["CUDAExecutionProvider", CPU_PROVIDER], "cuda"),
        (["TensorrtExecutionProvider", "CUDAExecutionProvider", CPU_PROVIDER], "tensorrt"),
    ],
)
def test_gpu__comes_first_where_it_is_offered(
    monkeypatch: pytest.MonkeyPatch, offered: list[str], device: str
) -> None:
    monkeypatch.setattr(ort, "get_available_providers", lambda: offered)
    choice = choose_runtime(dtype="float32")
    assert (choice.runtime, choice.device) == ("onnxruntime", device)
    assert device in choice.reason


def test_gpu__that_does_not_start_leaves_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    offered = ["CUDAExecutionProvider", CPU_PROVIDER]
    real = ort.InferenceSession
    monkeypatch.setattr(ort, "get_available_providers", lambda: offered)
    monkeypatch.setattr(
        ort,
        "InferenceSession",
        lambda source, options, providers: real(source, options, providers=[providers[-1]]),
    )
    network = open_network(two_outputs(), SPEC)
    assert network.choice.device == "cpu"
    assert "did not start" in network.choice.reason
    np.testing.assert_allclose(network.forward(IMAGES).outputs, by_hand(IMAGES)[0], atol=1e-5)


def test_gpu__takes_pixels_with_the_normalisation_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[tuple[object, object]] = []
    real = ort.InferenceSession

    class OnTheCpu(ort.InferenceSession):  # type: ignore[misc]
        def __init__(self, source: bytes, options: ort.SessionOptions, providers: object) -> None:
            opened.append(
                (real(source, options, providers=[CPU_PROVIDER]).get_inputs()[0].name, providers)
            )
            super().__init__(source, options, providers=[CPU_PROVIDER])

        def get_providers(self) -> list[str]:
            return ["CUDAExecutionProvider", CPU_PROVIDER]

    monkeypatch.setattr(
        ort, "get_available_providers", lambda: ["CUDAExecutionProvider", CPU_PROVIDER]
    )
    monkeypatch.setattr(ort, "InferenceSession", OnTheCpu)
    network = open_network(three_outputs(), SPEC, device="cuda:1", with_maps=True)
    assert opened == [("uint8_pixels", [("CUDAExecutionProvider", {"device_id": 1}), CPU_PROVIDER])]
    assert (network.choice.device, network.batch_size) == ("cuda:1", GPU_BATCH)
    monkeypatch.undo()
    wanted = open_network(three_outputs(), SPEC, device="cpu", runtime="onnxruntime")
    output, plain = network.forward(IMAGES), wanted.forward(IMAGES)
    np.testing.assert_array_equal(output.outputs, plain.outputs)
    np.testing.assert_array_equal(output.features, plain.features)
    assert output.patch_logits is not None


def test_card__computes_two_batches_at_once_whoever_feeds_it() -> None:
    inside: list[int] = []
    most: list[int] = []

    class Counted(OnnxNetwork):
        providers = ("CUDAExecutionProvider",)

        def forward(self, images: np.ndarray, *, with_maps: bool = False) -> NetworkOutput:
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.002)
            inside.pop()
            return NetworkOutput(np.zeros((len(images), 4), np.float32), None)

    choice = RuntimeChoice("onnxruntime", "cuda", "float32", "by hand")
    network = OnnxPixels(Counted(two_outputs()), SPEC, choice=choice, workers=8)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: network.forward(IMAGES), range(24)))
    assert len(most) == 24
    assert max(most) == 2


def test_device__that_is_not_there_is_a_clear_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ort, "get_available_providers", lambda: [CPU_PROVIDER])
    with pytest.raises(SettingsError, match=r"--device cuda:1: nothing .*ONNX Runtime on cpu.*gpu"):
        choose_runtime(dtype="float32", device="cuda:1")
    with pytest.raises(SettingsError, match=r"Unknown device 'gpu'; known: auto, cpu, cuda"):
        choose_runtime(dtype="float32", device="gpu")
    monkeypatch.setattr(
        ort, "get_available_providers", lambda: ["CUDAExecutionProvider", CPU_PROVIDER]
    )
    choice = choose_runtime(dtype="float32", device="cpu")
    assert (choice.device, choice.reason) == ("cpu", "on the device asked for")
    assert choose_runtime(dtype="float32", device="cuda:2").device == "cuda:2"


def test_device__that_was_asked_for_and_does_not_start_is_no_silent_cpu(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    offered = ["CUDAExecutionProvider", CPU_PROVIDER]
    real = ort.InferenceSession
    monkeypatch.setattr(ort, "get_available_providers", lambda: offered)
    monkeypatch.setattr(
        ort,
        "InferenceSession",
        lambda source, options, providers: real(source, options, providers=[providers[-1]]),
    )
    with pytest.raises(SettingsError, match=r"--device cuda: .*did not start.*nvidia-smi"):
        open_network(two_outputs(), SPEC, device="cuda")


def test_openvino_absent__falls_back_with_the_reason_or_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(openvino_network, "is_openvino_installed", lambda: False)
    choice = choose_runtime(dtype="float32")
    assert choice.runtime == "onnxruntime"
    assert "finding-nemo[fast] is not installed" in choice.reason
    with pytest.raises(SettingsError, match=r"pip install .*\[fast\]'"):
        choose_runtime(dtype="float32", runtime="openvino")
    with pytest.raises(SettingsError, match="does not compute in bfloat16"):
        choose_runtime(dtype="bfloat16")


def test_openvino_installed__is_the_choice_on_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino_network, "is_openvino_installed", lambda: True)
    choice = choose_runtime(dtype="float32")
    assert (choice.runtime, choice.device) == ("openvino", "cpu")
    monkeypatch.setattr(openvino_network, "has_bfloat16", lambda: False)
    with pytest.raises(SettingsError, match="does not compute in bfloat16"):
        choose_runtime(dtype="bfloat16")
