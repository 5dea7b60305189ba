"""Bundles of strangers: each is refused with one message, and no runtime is shown its network."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

from finding_nemo.core.errors import BundleError, FindingNemoError
from finding_nemo.core.names.inference_names import RuntimeOption
from finding_nemo.models.bundle.bundle import load_bundle
from finding_nemo.models.inference import openvino_network as runtime_openvino
from finding_nemo.models.inference.open_bundle_network import (
    InferenceOptions,
    grid_of_maps,
    open_bundle_network,
)
from finding_nemo.prediction.predictor import Predictor
from hostile_networks import (
    HUGE,
    IF,
    LOOP,
    SCAN,
    Change,
    a_function,
    claimed,
    deep,
    doubling,
    external,
    lying,
    many_constants,
    narrower,
    node,
    number,
    older,
    outer_product,
    patch_logits,
    renamed,
    sparse,
    with_nan,
    with_tensors,
)


@pytest.fixture
def hostile(small_bundle: Path, tmp_path: Path) -> Path:
    """A copy without hashes: a stranger makes those fit."""
    folder = tmp_path / "bundle"
    shutil.copytree(small_bundle, folder)
    rewrite(folder, files={})
    return folder


def rewrite(folder: Path, **changes: Any) -> None:
    path = folder / "bundle.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**content, **changes}), encoding="utf-8")


def change(folder: Path, how: Change, name: str = "model.onnx") -> None:
    model = onnx.load_from_string((folder / "model.onnx").read_bytes())
    how(model)
    (folder / name).write_bytes(model.SerializeToString())


@pytest.fixture(params=["onnxruntime", "openvino"])
def runtime(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> RuntimeOption:
    """A runtime that fails the test when it is shown anything."""
    name: RuntimeOption = request.param
    if name == "openvino":
        pytest.importorskip("openvino")

    def opened(*_: object, **__: object) -> None:
        raise AssertionError("a runtime was shown the network")

    monkeypatch.setattr(ort, "InferenceSession", opened)
    monkeypatch.setattr(runtime_openvino.OpenVinoPixels, "__init__", opened)
    return name


def test_the_honest_bundle__opens(hostile: Path) -> None:
    network = open_bundle_network(load_bundle(hostile), InferenceOptions(runtime="onnxruntime"))
    assert network.forward(np.zeros((1, 32, 32, 3), np.uint8)).outputs.shape == (1, 30)


def test_patch_logits__are_told_with_their_grid(hostile: Path) -> None:
    assert grid_of_maps(load_bundle(hostile)) is None
    change(hostile, patch_logits(shape=[30, 31, 30], kernel=(30, 3, 2, 3)))
    assert grid_of_maps(load_bundle(hostile)) == (31, 30)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (patch_logits(shape=[29, 31, 30], kernel=(29, 3, 2, 3)), "wanted is .images, 30, rows"),
        (patch_logits(shape=[30, 7, 30], kernel=(30, 3, 2, 3)), "claims a width of 7 and has one"),
        (
            lambda model: model.graph.output.append(
                helper.make_tensor_value_info("maps", TensorProto.FLOAT, ["batch", 30])
            ),
            "wanted are 'logits', 'features', 'patch_logits'",
        ),
    ],
)
def test_patch_logits__that_are_none_are_refused(hostile: Path, how: Change, words: str) -> None:
    change(hostile, how)
    with pytest.raises(BundleError, match=words):
        grid_of_maps(load_bundle(hostile))


def test_patch_logits__of_too_many_patches_are_refused(hostile: Path) -> None:
    spec = {"width_px": 200, "height_px": 200}
    rewrite(hostile, preprocessing=spec)

    def larger(model: onnx.ModelProto) -> None:
        for size in model.graph.input[0].type.tensor_type.shape.dim[2:]:
            size.dim_value = 200
        patch_logits(shape=[30, 200, 200], kernel=(30, 3, 1, 1))(model)

    change(hostile, larger)
    with pytest.raises(BundleError, match="200 x 200 patches; 1 to 16384 are allowed"):
        grid_of_maps(load_bundle(hostile))


HOSTILE: dict[str, tuple[Change, str]] = {
    "external data beside it": (external("weights.safetensors"), "external data"),
    "external data elsewhere": (external("/etc/passwd"), "external data"),
    "external data above it": (external("../../secret"), "external data"),
    "a loop": (node(LOOP), "operation Loop: it holds a graph inside a node"),
    "a scan": (node(SCAN), "operation Scan: it holds a graph inside a node"),
    "a branch": (node(IF), "operation If: it holds a graph inside a node"),
    "a loop without its body": (
        node(helper.make_node("Loop", ["", ""], ["x"])),
        r"operation Loop \(x\): the operation is not one of those",
    ),
    "branches in branches": (deep, "a graph inside a node"),
    "an unknown domain": (
        node(helper.make_node("Relu", ["images"], ["x"], domain="evil.example")),
        "unknown domain 'evil.example'",
    ),
    "a domain of one runtime": (
        node(helper.make_node("Gelu", ["images"], ["x"], domain="com.microsoft")),
        "unknown domain 'com.microsoft'",
    ),
    "random numbers": (
        node(helper.make_node("RandomNormal", [], ["x"], shape=[1 << 40])),
        "not one of those that networks for pixels need",
    ),
    "a function of its own": (a_function, "functions of its own"),
    "more numbers claimed than held": (claimed([8, 3, 3, 1 << 40]), "numbers and holds 216"),
    "a negative shape": (claimed([-8, 3, 3, -3]), "has the shape"),
    "a constant of a giant shape": (
        with_tensors([helper.make_node("ConstantOfShape", ["s"], ["x"])], number("s", HUGE)),
        r"ConstantOfShape \(x\): it gives a tensor of 1.1e\+12 numbers",
    ),
    "many large constants": (many_constants, "before any image"),
    "stretched without end": (
        with_tensors([helper.make_node("Expand", ["images", "s"], ["x"])],
                     number("s", [1 << 40, 3, 32, 32])),
        "it gives a tensor of",
    ),
    "repeated without end": (
        with_tensors([helper.make_node("Tile", ["images", "s"], ["x"])],
                     number("s", [1 << 30, 1, 1, 1])),
        "it gives a tensor of",
    ),
    "resized without end": (
        with_tensors([helper.make_node("Resize", ["images", "", "", "s"], ["x"])],
                     number("s", [1, 3, 1 << 20, 1 << 20])),
        "it gives a tensor of",
    ),
    "padded without end": (
        with_tensors([helper.make_node("Pad", ["images", "s"], ["x"])],
                     number("s", [0, 0, 1 << 30, 0, 0, 0, 0, 0])),
        "it gives a tensor of",
    ),
    "joined to itself": (doubling, "it gives a tensor of"),
    "weights stretched against each other": (outer_product, "it gives a tensor of"),
    "a size from the pixels": (
        with_tensors([helper.make_node("Cast", ["images"], ["s"], to=7),
                      helper.make_node("ConstantOfShape", ["s"], ["x"])]),
        "cannot be known beforehand",
    ),
    "a version of long ago": (older, "operations are of version 9"),
    "blocks of no image": (
        node(helper.make_node("DepthToSpace", ["axes"], ["x"], blocksize=2)),
        r"operation DepthToSpace \(x\)",
    ),
    "a scale that is no number": (
        with_tensors([helper.make_node("Resize", ["images", "", "s"], ["x"])],
                     numpy_helper.from_array(np.full(4, np.inf, np.float32), "s")),
        "it gives a tensor of",
    ),
    "a tensor of many dimensions": (
        with_tensors([helper.make_node("Reshape", ["images", "s"], ["x"])],
                     number("s", [1] * 99 + [3 * 32 * 32])),
        "of 100 dimensions",
    ),
    "a shape of fractions": (
        with_tensors([helper.make_node("Reshape", ["images", "s"], ["x"])],
                     numpy_helper.from_array(np.array([np.inf, 3]), "s")),
        "cannot be known beforehand",
    ),
    "sparse tensors": (sparse, "sparse tensors"),
    "fewer categories": (narrower, "it tells 29 categories apart and the bundle lists 30"),
    "another width than it says": (lying, "claims a width of 29 and has one of 30"),
    "no number": (with_nan, "tensor 'weight' holds NaN"),
    "another input": (renamed, "its inputs are 'pictures'"),
    "a name that commands a terminal": (
        node(helper.make_node("\x1b[2Jboo", ["images"], ["x"])),
        r"\\x1b\[2Jboo",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_network__is_refused_before_a_runtime_sees_it(
    hostile: Path, runtime: RuntimeOption, name: str
) -> None:
    how, words = HOSTILE[name]
    change(hostile, how)
    with pytest.raises(BundleError, match=words) as told:
        open_bundle_network(load_bundle(hostile), InferenceOptions(runtime=runtime))
    assert "is not opened" in str(told.value)
    assert str(told.value).isprintable()


def test_hostile_int8__is_refused_as_well(hostile: Path, runtime: RuntimeOption) -> None:
    change(hostile, external("secret"), "model.int8.onnx")
    wish = InferenceOptions("int8", runtime)
    with pytest.raises(BundleError, match=r"model\.int8\.onnx is not opened: .*external data"):
        open_bundle_network(load_bundle(hostile), wish)


@pytest.mark.parametrize("content", [b"", b"nothing", b"\x0a\xff\xff\xff\xff\x7f", b"\x00" * 99])
def test_no_onnx__is_refused(hostile: Path, runtime: RuntimeOption, content: bytes) -> None:
    (hostile / "model.onnx").write_bytes(content)
    with pytest.raises(BundleError, match="is not opened"):
        open_bundle_network(load_bundle(hostile), InferenceOptions(runtime=runtime))


def test_cut_off__is_refused(hostile: Path, runtime: RuntimeOption) -> None:
    content = (hostile / "model.onnx").read_bytes()
    (hostile / "model.onnx").write_bytes(content[: len(content) // 2])
    with pytest.raises(BundleError, match="no ONNX file or is cut off"):
        open_bundle_network(load_bundle(hostile), InferenceOptions(runtime=runtime))


@pytest.mark.parametrize(
    "name",
    [
        "model.onnx",
        "model.int8.onnx",
        "weights.safetensors",
        "novelty.safetensors",
        "exports.json",
        "bundle.json",
    ],
)
def test_links__are_refused_wherever_they_lead(hostile: Path, name: str, tmp_path: Path) -> None:
    (hostile / name).unlink(missing_ok=True)
    source = {"bundle.json": "kept.json"}.get(name, "model.onnx")
    kept = tmp_path / source
    shutil.copyfile(hostile / "model.onnx" if name != "model.onnx" else __file__, kept)
    (hostile / name).symlink_to(kept)
    with pytest.raises(BundleError, match=f"{name} is a link"):
        load_bundle(hostile)


def test_a_bundle_behind_a_link__opens(hostile: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(hostile)
    assert load_bundle(tmp_path / "link").categories.ids[0] == 1


def category(**changes: Any) -> dict[str, Any]:
    return {"category_id": 1, "name": "crab", "supercategory": "all", "n_images": 1,
            "n_dives": 1, **changes}  # fmt: skip


MANIFESTS: dict[str, tuple[dict[str, Any], str]] = {
    "ids above 32 bits": ({"categories": [category(category_id=2**31)]}, "0.category_id = 2147"),
    "ids twice": ({"categories": [category(), category()]}, "must be unique; repeated"),
    "no category": ({"categories": []}, "table is empty"),
    "half a letter": ({"categories": [category(name="a\ud800")]}, "text that is no Unicode"),
    "a command in a name": ({"categories": [category(name="\x1b[2J")]}, "control characters"),
    "a command in a group": ({"categories": [category(supercategory="\n")]}, "control characters"),
    "counts below 0": ({"categories": [category(n_images=-1)]}, "categories.0.n_images"),
    "no spread": (
        {"preprocessing": {"width_px": 32, "height_px": 32, "std": [0, 1, 1]}},
        "preprocessing.std.0",
    ),
    "a giant frame": ({"preprocessing": {"width_px": 10**9}}, "preprocessing.width_px"),
    "a list": ({"categories": 3}, "categories = 3"),
    "files of others": (
        {"files": {"../../etc/passwd": {"sha256": "", "n_bytes": 1}}}, "which no bundle has",
    ),
    "another schema": ({"schema_version": [1]}, "has schema version"),
    "many faults": ({"categories": [category(n_dives=-1)] * 500}, "and 490 more"),
}  # fmt: skip


@pytest.mark.parametrize("name", MANIFESTS)
def test_hostile_manifest__is_one_message(hostile: Path, name: str) -> None:
    changes, words = MANIFESTS[name]
    rewrite(hostile, **changes)
    with pytest.raises(BundleError, match=words) as told:
        load_bundle(hostile)
    assert len(str(told.value)) < 4000
    assert str(told.value).encode()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 100_000, "is not JSON"),
        ('{"schema_version": 1, "settings": ' + '{"a":' * 90 + "1" + "}" * 91, "nested more than"),
        ('{"schema_version": ' + "9" * 5000 + "}", "is not JSON"),
        ("[]", "schema version None"),
        ('{"schema_version": 1}', "missing key"),
        ("\ufeff{}", "is not JSON"),
    ],
)
def test_odd_json__is_one_message(hostile: Path, text: str, words: str) -> None:
    (hostile / "bundle.json").write_text(text, encoding="utf-8")
    with pytest.raises(BundleError, match=words):
        load_bundle(hostile)


C, V, F = 30, 4, 8


def uncertainty(**changes: Any) -> dict[str, Any]:
    names = ["max-probability", "max-logit", "joint-energy", "entropy", "knn", "mahalanobis",
             "relative-mahalanobis", "vim", "ensemble-disagreement", "combined"]  # fmt: skip
    rng = np.random.default_rng(0)
    tensors: dict[str, Any] = {
        f"novelty.quantiles.{n}": np.sort(rng.normal(size=101)) for n in names
    }
    tensors |= {
        "calibration.offset": np.zeros(C), "calibration.slope": np.ones(C),
        "validation.logits": rng.normal(size=(V, C)).astype(np.float32),
        "validation.truth": np.eye(V, C, dtype=np.uint8),
        "validation.dive": np.arange(V, dtype=np.int32),
        "novelty.mean": np.zeros(F), "novelty.std": np.ones(F), "novelty.axes": np.eye(F, 3),
        "novelty.variances": np.ones(3), "novelty.neighbours": np.eye(12, 3),
        "novelty.root": np.eye(3), "novelty.centres": np.zeros((2, 3)),
        "novelty.heads": np.zeros((2, 4, C)), "novelty.scale": np.ones(1),
    }  # fmt: skip
    return {name: value for name, value in {**tensors, **changes}.items() if value is not None}


TENSORS: dict[str, tuple[dict[str, Any], str]] = {
    "missing": ({"novelty.heads": None}, "'novelty.heads' is missing"),
    "slope missing": ({"calibration.slope": None}, "'calibration.slope' is missing"),
    "score missing": ({"novelty.quantiles.vim": None}, "'novelty.quantiles.vim' is missing"),
    "truth missing": ({"validation.truth": None}, "'validation.truth' is missing"),
    "foreign": ({"novelty.wand": np.ones(1)}, "'novelty.wand' is not known"),
    "foreign score": ({"novelty.quantiles.luck": np.ones(101)}, "luck' is not known"),
    "other width": ({"calibration.slope": np.ones(C + 1)}, r"\(31,\); wanted is 30"),
    "other rank": ({"novelty.mean": np.ones((F, 1))}, "'novelty.mean' is of shape"),
    "other features": (
        {"novelty.axes": np.eye(F + 1, 3)},
        r"'novelty.mean' is of shape \(8,\); wanted is 9",
    ),
    "fewer quantiles": ({"novelty.quantiles.vim": np.ones(3)}, "wanted is 101"),
    "no rows": ({"novelty.neighbours": np.ones((0, 3))}, "'novelty.neighbours' is of shape"),
    "no number": ({"novelty.mean": np.full(F, np.nan)}, "'novelty.mean' holds NaN"),
    "no spread": ({"novelty.std": np.zeros(F)}, "not above 0"),
    "heads of others": ({"novelty.heads": np.zeros((2, 9, C))}, "has 9 rows beside 3 axes"),
    "a name that commands": ({"\x1b[2J": np.ones(1)}, r"\\x1b\[2J"),
}


def test_honest_tensors__are_read(hostile: Path) -> None:
    save_file(uncertainty(), hostile / "novelty.safetensors")
    postprocessor = Predictor(hostile).postprocessor
    assert postprocessor is not None
    assert postprocessor.default_score == "vim"


@pytest.mark.parametrize("name", TENSORS)
def test_hostile_tensors__are_refused(hostile: Path, name: str) -> None:
    changes, words = TENSORS[name]
    save_file(uncertainty(**changes), hostile / "novelty.safetensors")
    with pytest.raises(BundleError, match=words) as told:
        _ = Predictor(hostile).postprocessor
    assert "novelty.safetensors cannot be used" in str(told.value)
    assert str(told.value).isprintable()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xff\xff\xff\xff\xff\xff\x7f{}",
        b"\x09\0\0\0\0\0\0\0[1, 2, 3]",
        (60).to_bytes(8, "little")
        + b'{"a":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}     '
        + b"\0\0",
    ],
)
def test_odd_safetensors__are_one_message(hostile: Path, content: bytes) -> None:
    (hostile / "novelty.safetensors").write_bytes(content)
    with pytest.raises(BundleError, match=r"novelty\.safetensors cannot be"):
        _ = Predictor(hostile).postprocessor


def test_features_that_novelty_does_not_know__are_one_message(
    hostile: Path, tiny_folder: Path
) -> None:
    other = uncertainty(
        **{"novelty.mean": np.zeros(5), "novelty.std": np.ones(5), "novelty.axes": np.eye(5, 3)}
    )
    save_file(other, hostile / "novelty.safetensors")
    with pytest.raises(BundleError, match="gives 30 outputs and 8 features; .* of 5 features"):
        list(Predictor(hostile).predict([str(tiny_folder)]))


def mutated(content: bytes, rng: np.random.Generator) -> bytes:
    """Return bytes with a few of them changed, cut out, repeated or cut off."""
    changed = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        place = int(rng.integers(0, max(len(changed), 1)))
        length = int(rng.integers(1, 40))
        kind = rng.integers(0, 5)
        if kind == 0:
            changed[place : place + 1] = bytes([rng.integers(0, 256)])
        elif kind == 1:
            del changed[place : place + length]
        elif kind == 2:
            changed[place:place] = changed[place : place + length]
        elif kind == 3:
            changed[place : place + length] = rng.bytes(length)
        else:
            del changed[max(place, 8) :]
    return bytes(changed)


def outcome(folder: Path) -> str:
    """Return how it goes to open a bundle and to use it once; only our own errors are caught."""
    try:
        predictor = Predictor(folder, network=InferenceOptions(runtime="onnxruntime"), threads=1)
        postprocessor = predictor.postprocessor
        seen = predictor._network.forward(np.full((1, 32, 32, 3), 99, np.uint8))
        assert postprocessor is not None
        with np.errstate(all="ignore"):
            postprocessor.read(seen.outputs, seen.features, [0.5])
    except FindingNemoError as error:
        return type(error).__name__ if str(error).encode() else "silent"
    return "used"


@pytest.mark.parametrize("name", ["bundle.json", "novelty.safetensors", "model.onnx"])
@pytest.mark.parametrize("seed", range(20))
def test_mutated_bundle__is_used_or_refused(hostile: Path, name: str, seed: int) -> None:
    save_file(uncertainty(), hostile / "novelty.safetensors")
    rng = np.random.default_rng([seed, len(name)])
    (hostile / name).write_bytes(mutated((hostile / name).read_bytes(), rng))
    assert outcome(hostile) in ("used", "BundleError", "SettingsError", "PredictionsError")
