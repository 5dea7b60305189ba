"""Pretrained weights from files, from the hub's cache, or an error; never random ones unasked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file

from finding_nemo.core.errors import SettingsError, WeightsError
from finding_nemo.core.provenance import hash_file
from finding_nemo.models.networks import timm_backbones
from finding_nemo.models.networks.backbones import load_backbone

_FRAME = (64, 96)
Tensors = dict[str, torch.Tensor]


def tensors_of(name: str = "test_efficientnet", **more: Any) -> Tensors:
    torch.manual_seed(7)
    network: Any = timm.create_model(name, **more)
    return {key: each.clone() for key, each in network.state_dict().items()}


def is_loaded(network: torch.nn.Module, wanted: Tensors) -> bool:
    found = network.state_dict()
    return bool(found) and all(torch.equal(each, wanted[name]) for name, each in found.items())


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of an empty cache; no address answers."""
    from huggingface_hub import constants

    cache = tmp_path / "hub"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "torch"))

    def refuse(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    return cache


def put_in_cache(cache: Path, repository: str, write: dict[str, Callable[[Path], object]]) -> None:
    """Lay files as `huggingface_hub` keeps what it once downloaded."""
    folder = cache / f"models--{repository.replace('/', '--')}"
    snapshot = folder / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs/main").write_text("0" * 40)
    for name, writer in write.items():
        writer(snapshot / name)


@pytest.mark.parametrize("wrapped", ["plain", "state_dict", "backbone."])
def test_a_torch_file__is_loaded_whatever_its_training_wrapped_around(
    wrapped: str, tmp_path: Path
) -> None:
    wanted = tensors_of()
    content: object = wanted
    if wrapped == "state_dict":
        content = {"epoch": 3, "state_dict": wanted}
    elif wrapped == "backbone.":
        content = {f"backbone.{name}": each for name, each in wanted.items()}
    torch.save(content, tmp_path / "w.pth")
    loaded = load_backbone(
        "test_efficientnet", n_outputs=0, pretrained=True, weights=str(tmp_path / "w.pth")
    )
    assert is_loaded(loaded.network, wanted)
    assert loaded.origin.kind == "pretrained"
    assert loaded.origin.source == "the file w.pth"
    assert loaded.origin.sha256 == hash_file(tmp_path / "w.pth")
    assert loaded.origin.license == ""
    assert "license unknown" in loaded.origin.in_words


def test_position_embeddings__are_resampled_to_wide_frames(tmp_path: Path) -> None:
    wanted = tensors_of("test_vit", img_size=(160, 160))
    save_file(wanted, tmp_path / "w.safetensors")
    loaded = load_backbone(
        "test_vit",
        n_outputs=0,
        pretrained=True,
        weights=str(tmp_path / "w.safetensors"),
        frame_px=(96, 160),
    )
    found = loaded.network.state_dict()
    assert found["pos_embed"].shape == (1, 1 + 6 * 10, wanted["pos_embed"].shape[2])
    # The class token's own position is not of the grid.
    torch.testing.assert_close(
        found["blocks.0.attn.qkv.weight"], wanted["blocks.0.attn.qkv.weight"]
    )
    with torch.inference_mode():
        assert loaded.network.eval()(torch.zeros(1, 3, 96, 160)).shape[0] == 1


def test_more_than_is_needed__is_taken_and_less_is_not(tmp_path: Path) -> None:
    wanted = tensors_of()
    save_file({**wanted, "projector.weight": torch.zeros(2)}, tmp_path / "more.safetensors")
    loaded = load_backbone(
        "test_efficientnet",
        n_outputs=0,
        pretrained=True,
        weights=str(tmp_path / "more.safetensors"),
    )
    assert is_loaded(loaded.network, wanted)
    lacking = next(name for name in wanted if name.startswith("blocks"))
    less = {name: each for name, each in wanted.items() if name != lacking}
    save_file(less, tmp_path / "less.safetensors")
    with pytest.raises(WeightsError, match=f"do not fit backbone test_efficientnet.*{lacking}"):
        load_backbone(
            "test_efficientnet",
            n_outputs=0,
            pretrained=True,
            weights=str(tmp_path / "less.safetensors"),
        )
    with pytest.raises(WeightsError, match="do not fit backbone test_vit"):
        load_backbone(
            "test_vit", n_outputs=0, pretrained=True, weights=str(tmp_path / "more.safetensors")
        )


class _Code:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("code of a stranger ran",)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"a": _Code()}, "cannot be read as weights"),
        ([1, 2], "holds no named tensors"),
        (None, "There are no weights at"),
    ],
)
def test_a_file_of_code_or_of_nothing__is_refused(
    content: object, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        torch.save(content, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match=words):
        load_backbone(
            "test_efficientnet", n_outputs=0, pretrained=True, weights=str(tmp_path / "w.pth")
        )
    assert "ran" not in capsys.readouterr().out


def test_weights_in_the_cache__load_without_a_network(offline: Path) -> None:
    wanted = tensors_of()
    put_in_cache(
        offline,
        "timm/test_efficientnet.r160_in1k",
        {"model.safetensors": lambda path: save_file(wanted, path)},
    )
    loaded = load_backbone("test_efficientnet", n_outputs=0, pretrained=True)
    assert is_loaded(loaded.network, wanted)
    assert loaded.origin.license == "apache-2.0"
    assert loaded.origin.source == (
        "hf-hub:timm/test_efficientnet.r160_in1k, file model.safetensors"
    )
    assert len(loaded.origin.sha256) == 64
    tagged = load_backbone("test_efficientnet.r160_in1k", n_outputs=0, pretrained=True)
    assert is_loaded(tagged.network, wanted)


def test_a_repository_of_the_hub__is_a_backbone_and_brings_its_pixels(offline: Path) -> None:
    wanted = tensors_of()
    config = {
        "architecture": "test_efficientnet",
        "pretrained_cfg": {"mean": [0.1, 0.2, 0.3], "std": [1, 1, 1], "license": "mit"},
    }
    put_in_cache(
        offline,
        "someone/deep",
        {
            "pytorch_model.bin": lambda path: torch.save(wanted, path),
            "config.json": lambda path: path.write_text(json.dumps(config)),
        },
    )
    put_in_cache(offline, "someone/other", {"config.json": lambda path: path.write_text("{}")})
    # Of a cache without network nobody knows whether a file that it lacks is on the hub.
    with pytest.raises(WeightsError, match="someone/deep is not in the cache"):
        load_backbone("hf-hub:someone/deep", n_outputs=0, pretrained=True)
    snapshot = next((offline / "models--someone--deep/snapshots").iterdir())
    save_file(wanted, snapshot / "model.safetensors")
    loaded = load_backbone("hf-hub:someone/deep", n_outputs=0, pretrained=True)
    assert is_loaded(loaded.network, wanted)
    assert (loaded.mean, loaded.std) == ((0.1, 0.2, 0.3), (1.0, 1.0, 1.0))
    assert loaded.origin.license == "mit"
    as_weights = load_backbone(
        "test_efficientnet", n_outputs=0, pretrained=True, weights="hf-hub:someone/deep"
    )
    assert is_loaded(as_weights.network, wanted)
    with pytest.raises(SettingsError, match=r"hf-hub:someone/other is no model of timm"):
        load_backbone("hf-hub:someone/other", n_outputs=0, pretrained=True)


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("test_efficientnet", ""),
        ("hf-hub:nobody/nothing", ""),
        ("test_efficientnet", "hf-hub:nobody/nothing"),
        ("torchvision/resnet18", ""),
    ],
)
@pytest.mark.usefixtures("offline")
def test_no_reachable_weights__is_an_error_with_three_ways(name: str, weights: str) -> None:
    with pytest.raises(WeightsError) as told:
        load_backbone(name, n_outputs=0, pretrained=True, weights=weights)
    message = str(told.value)
    assert message.startswith(f"No pretrained weights for backbone {name}: ")
    for way in ("weights are installed", "--set weights=FILE", "--set pretrained=false"):
        assert way in message
    assert message.count("\n  - ") == 3


@pytest.mark.usefixtures("offline")
def test_random_weights__only_where_they_are_asked_for() -> None:
    loaded = load_backbone("test_efficientnet", n_outputs=0, pretrained=False)
    assert loaded.origin.is_random
    assert loaded.origin.in_words.startswith("RANDOM weights, as set")


def test_torchvision__loads_from_its_cache(offline: Path, tmp_path: Path) -> None:
    from torchvision.models import ResNet18_Weights, resnet18

    torch.manual_seed(7)
    wanted = resnet18(weights=None).state_dict()
    path = tmp_path / "torch/checkpoints" / Path(ResNet18_Weights.DEFAULT.url).name
    path.parent.mkdir(parents=True)
    torch.save(wanted, path)
    loaded = load_backbone("torchvision/resnet18", n_outputs=0, pretrained=True)
    assert is_loaded(loaded.network, wanted)
    assert loaded.origin.source == ResNet18_Weights.DEFAULT.url


def test_an_unknown_tag__is_refused_with_those_that_are_known() -> None:
    with pytest.raises(
        SettingsError, match=r"no weights 'nope' of test_vit; known: test_vit\.r160"
    ):
        load_backbone("test_vit.nope", n_outputs=0, pretrained=True)


@pytest.mark.parametrize(
    ("name", "patch_px"),
    [("vit_small_patch14_dinov2", 14), ("eva02_tiny_patch14_224", 14), ("convnext_tiny", None)],
)
def test_patch__is_read_off_a_name(name: str, patch_px: int | None) -> None:
    assert timm_backbones.patch_px_in(name) == patch_px
