"""Backbones from files of the user's, from end to end, and trainings that find no weights."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import nn

from finding_nemo.cli import main
from finding_nemo.core.errors import SettingsError, WeightsError
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.records import Dataset, Split
from finding_nemo.core.reporter import Reporter
from finding_nemo.evaluation.evaluate_predictions import evaluate
from finding_nemo.models.bundle.bundle import Bundle, load_bundle
from finding_nemo.models.networks.patch_network import patch_grid
from finding_nemo.models.onnx_export.export_onnx import export_onnx
from finding_nemo.prediction.predictor import Predictor
from finding_nemo.training.train_recipe import train

_DINO = "vit_small_patch14_reg4_dinov2"
_SMALL: dict[str, Any] = {"epochs": 1, "batch_size": 8, "width_px": 84, "height_px": 56}
_RECIPES = ("probe", "patches", "nemo")


Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the program in this process; return exit code, and stdout and stderr on one line."""

    def call(*words: str | Path) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["finding-nemo", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main.run()
        told = capsys.readouterr()
        code = stopped.value.code
        return (code if isinstance(code, int) else 0), " ".join((told.out + told.err).split())

    return call


def trained(
    dataset: Dataset, split: Split, out: Path, recipe: str, **settings: Any
) -> tuple[Bundle, list[str]]:
    told: list[str] = []
    found = train(
        dataset,
        out=out,
        recipe=recipe,
        split=split,
        settings={**_SMALL, **settings},
        reporter=Reporter(told.append),
    )
    return found.bundle, told


def parity(told: list[str]) -> float:
    found = re.search(r"equals torch to (\S+) in its raw outputs", "\n".join(told))
    assert found is not None
    return float(found.group(1))


def check_says(bundle: Bundle, dataset: Dataset, words: str) -> None:
    """Check that the bundle's files and its evaluation say where the weights came from."""
    manifest = json.loads((bundle.path / "bundle.json").read_text(encoding="utf-8"))
    assert len(manifest["weights_origins"]) == 1
    assert words in (bundle.path / "MODEL_CARD.md").read_text(encoding="utf-8")
    found = evaluate(Predictor(bundle).predict(dataset), dataset)
    assert words in "\n".join(found.notices)
    assert words in found.to_json()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty cache of the hub; the hub itself is never asked."""
    from huggingface_hub import constants

    cache = tmp_path / "hub"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return cache


@pytest.fixture
def dino(hub: Path) -> Path:
    """Lay a small network of DINOv2's shape, with registers, into the cache; return its weights."""
    shape: dict[str, Any] = {"depth": 2, "embed_dim": 48, "num_heads": 2}
    torch.manual_seed(0)
    network: Any = timm.create_model(_DINO, **shape)
    snapshot = hub / "models--lab--dino/snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    refs = hub / "models--lab--dino/refs"
    refs.mkdir()
    (refs / "main").write_text("0" * 40)
    config = {
        "architecture": _DINO,
        "model_args": shape,
        "pretrained_cfg": {
            "input_size": [3, 518, 518],
            "fixed_input_size": True,
            "mean": [0.485, 0.456, 0.406],
            "std": [0.229, 0.224, 0.225],
            "license": "apache-2.0",
        },
    }
    (snapshot / "config.json").write_text(json.dumps(config))
    save_file(network.state_dict(), snapshot / "model.safetensors")
    return snapshot / "model.safetensors"


@pytest.mark.slow
@pytest.mark.parametrize("recipe", _RECIPES)
def test_weights_of_the_shape_of_dinov2__train(
    recipe: str, dino: Path, dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    from_file = recipe != "patches"
    (tmp_path / "dino.safetensors").write_bytes(dino.read_bytes())
    weights = {"weights": str(tmp_path / "dino.safetensors")} if from_file else {}
    bundle, told = trained(
        dataset, split, tmp_path / "run", recipe, backbone="hf-hub:lab/dino", **weights
    )
    assert parity(told) < 1e-4
    (origin,) = bundle.manifest.weights_origins or ()
    source = "the file dino.safetensors" if from_file else "hf-hub:lab/dino, file model.safetensors"
    assert (origin.kind, origin.source) == ("pretrained", source)
    assert origin.license == ("" if from_file else "apache-2.0")
    assert bundle.notices == ()
    check_says(bundle, dataset, f"pretrained weights from {source}")


class _Tokens(nn.Module):
    """A transformer as its users export it: all tokens, those in front too."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        tokens: torch.Tensor = self.network.forward_features(pixels)
        return tokens


@pytest.fixture(scope="module", params=["maps", "tokens", "features"])
def onnx_file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    name = "test_vit" if request.param == "tokens" else "test_efficientnet"
    sized: dict[str, Any] = {"img_size": (64, 96)} if request.param == "tokens" else {}
    network: Any = timm.create_model(name, num_classes=0, **sized).eval()
    module = network if request.param == "features" else _Tokens(network)
    path = tmp_path_factory.mktemp("onnx") / f"{request.param}.onnx"
    path.write_bytes(
        export_onnx(module, Preprocessing(width_px=96, height_px=64), output="anything")
    )
    path.with_suffix(".json").write_text(
        json.dumps({"mean": [0.5, 0.5, 0.5], "std": [0.2, 0.2, 0.2], "license": "mit"})
    )
    return path


@pytest.mark.slow
@pytest.mark.parametrize("recipe", _RECIPES)
def test_an_onnx_file__trains(
    recipe: str, onnx_file: Path, dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    settings = {"backbone": f"onnx:{onnx_file}", "width_px": 96, "height_px": 64}
    if onnx_file.stem == "features" and recipe != "probe":
        with pytest.raises(SettingsError, match="no rows and columns"):
            trained(dataset, split, tmp_path / "run", recipe, **settings)
        assert not (tmp_path / "run").exists()
        return
    bundle, told = trained(dataset, split, tmp_path / "run", recipe, **settings)
    assert parity(told) < 1e-4
    assert bundle.preprocessing.mean == (0.5, 0.5, 0.5)
    assert ("patches: the backbone is an ONNX file" in bundle.manifest.built_as) == (
        recipe == "nemo"
    )
    check_says(bundle, dataset, f"the ONNX file {onnx_file.name} (license mit")
    rows = [row.probabilities for row in Predictor(bundle).predict(dataset)]
    assert len(np.unique(np.stack([r for r in rows if r is not None]).round(6), axis=0)) > 5


@pytest.mark.slow
@pytest.mark.usefixtures("hub")
def test_no_reachable_weights__end_with_1_and_leave_nothing(
    tiny_folder: Path, tmp_path: Path, run: Run
) -> None:
    out = tmp_path / "runs" / "a"
    small = ("width_px=32", "height_px=32", "epochs=1", "backbone=test_efficientnet")
    changes = [word for change in small for word in ("--set", change)]
    command = ("train", tiny_folder, "--recipe", "probe", "--out", out, *changes)
    code, told = run(*command)
    assert code == 1
    for way in ("weights are installed", "--set weights=FILE", "--set pretrained=false"):
        assert way in told
    assert not out.exists()
    random = "RANDOM weights"
    code, told = run(*command, "--set", "pretrained=false")
    assert (code, random in told) == (0, True)
    bundle = load_bundle(out)
    assert random in " ".join(bundle.notices)
    assert random in (bundle.path / "MODEL_CARD.md").read_text(encoding="utf-8")
    (origin,) = bundle.manifest.weights_origins or ()
    assert origin.is_random
    predictions = tmp_path / "p.parquet"
    code, told = run("predict", out, tiny_folder, "--out", predictions)
    assert (code, random in told) == (0, True)
    page = tmp_path / "page.html"
    code, told = run("evaluate", predictions, tiny_folder, "--out", page)
    assert (code, random in told) == (0, True)
    assert random in page.read_text(encoding="utf-8")
    code, told = run("declare", out)
    assert code == 0
    assert "no pretrained model (test_efficientnet from RANDOM weights)" in told


@pytest.mark.slow
def test_an_onnx_file_of_another_size__is_refused_with_the_sizes(
    dataset: Dataset, split: Split, tmp_path: Path
) -> None:
    network: Any = timm.create_model("test_efficientnet", num_classes=0).eval()
    assert patch_grid(network, width_px=96, height_px=64) == (2, 3)
    path = tmp_path / "a.onnx"
    path.write_bytes(export_onnx(network, Preprocessing(width_px=96, height_px=64), output="f"))
    with pytest.raises(SettingsError, match=r"frames of 96 x 64 px.*--set width_px=96"):
        trained(dataset, split, tmp_path / "run", "probe", backbone=f"onnx:{path}")
    path.write_bytes(b"no network")
    with pytest.raises(SettingsError, match="cannot be a backbone"):
        trained(dataset, split, tmp_path / "run", "probe", backbone=f"onnx:{path}")
    with pytest.raises(SettingsError, match="there is no file"):
        trained(dataset, split, tmp_path / "run", "probe", backbone="onnx:nowhere.onnx")
    with pytest.raises(SettingsError, match="cannot be trained"):
        trained(dataset, split, tmp_path / "run", "resnet18", backbone=f"onnx:{path}")
    with pytest.raises(WeightsError, match="There are no weights at"):
        trained(dataset, split, tmp_path / "run", "probe", weights="nowhere.safetensors")
    assert not (tmp_path / "run").exists()
