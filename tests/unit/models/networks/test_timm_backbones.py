"""Which frames networks of many kinds take, without weights and without numbers."""

from __future__ import annotations

from typing import Any

import pytest
import timm
import torch

from finding_nemo.core.errors import SettingsError
from finding_nemo.models.networks import timm_backbones
from finding_nemo.models.networks.backbones import frames_for, load_backbone
from finding_nemo.models.networks.timm_backbones import TimmModel, find_timm_model

_SHORT: dict[str, Any] = {"depth": 1, "embed_dim": 16, "num_heads": 2}
_WINDOWED: dict[str, Any] = {"depths": (1, 1, 1, 1), "embed_dim": 8, "num_heads": (1, 1, 1, 1)}
Size = tuple[int, int]


def small(name: str, arguments: dict[str, Any]) -> TimmModel:
    return TimmModel(name, find_timm_model(name).config, arguments)


@pytest.mark.parametrize(
    ("name", "arguments", "wanted", "taken"),
    [
        ("vit_tiny_patch16_224", _SHORT, (176, 320), (176, 320)),
        ("vit_tiny_patch16_224", _SHORT, (180, 324), (176, 320)),
        ("vit_small_patch14_reg4_dinov2", _SHORT, (180, 324), (182, 322)),
        ("vit_small_patch16_dinov3", _SHORT, (183, 324), (176, 320)),
        ("swin_tiny_patch4_window7_224", _WINDOWED, (180, 324), (180, 324)),
        ("swin_tiny_patch4_window7_224", _WINDOWED, (181, 322), (180, 320)),
        ("coatnet_pico_rw_224", {}, (180, 324), (192, 320)),
        ("vit_tiny_r_s16_p8_224", _SHORT, (180, 324), (192, 320)),
        ("convit_tiny", _SHORT, (180, 324), (224, 224)),
        ("test_convnext", {}, (181, 323), (181, 323)),
        ("pvt_v2_b0", {"depths": (1, 1, 1, 1)}, (181, 323), (181, 323)),
    ],
)
def test_fitting_frames__are_those_wanted_or_the_nearest_that_a_network_takes(
    name: str, arguments: dict[str, Any], wanted: Size, taken: Size
) -> None:
    model = small(name, arguments)
    assert timm_backbones.fitting_frames(model, wanted) == taken
    sized: dict[str, Any] = {"img_size": taken} if model.is_fixed else {}
    network: Any = timm.create_model(name, num_classes=0, **arguments, **sized)
    with torch.inference_mode():
        assert network.eval()(torch.zeros(1, 3, *taken)).ndim == 2


def test_frames_that_do_not_fit__are_refused_with_the_nearest_that_do() -> None:
    with pytest.raises(
        SettingsError,
        match=r"^coatnet_pico_rw_224 does not take frames of 324 x 180 px: its windows or strides "
        r"do not divide them\. The nearest that it takes: --set width_px=320 "
        r"--set height_px=192\.$",
    ):
        load_backbone("coatnet_pico_rw_224", n_outputs=0, pretrained=False, frame_px=(180, 324))
    with pytest.raises(SettingsError, match="sees patches of 16 x 16 px.*width_px=64.*height_px=3"):
        load_backbone("test_vit", n_outputs=0, pretrained=False, frame_px=(40, 60))


def test_a_trial__leaves_chance_as_it_was() -> None:
    torch.manual_seed(3)
    wanted = torch.rand(4)
    torch.manual_seed(3)
    assert timm_backbones.why_not(small("test_vit", {}), (32, 48)) == ""
    torch.testing.assert_close(torch.rand(4), wanted, rtol=0, atol=0)


def test_a_network_that_cannot_be_followed_without_numbers__is_computed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[str] = []
    real = timm_backbones._tried

    def without_meta(model: TimmModel, frame_px: Size, device: str) -> str:
        tried.append(device)
        return "has no numbers" if device == "meta" else real(model, frame_px, device)

    monkeypatch.setattr(timm_backbones, "_tried", without_meta)
    assert timm_backbones.why_not(small("test_vit", {}), (32, 48)) == ""
    assert "patches of 16 x 16 px" in timm_backbones.why_not(small("test_vit", {}), (33, 48))
    assert tried == ["meta", "meta", "cpu"] * 2


def test_frames__of_networks_that_are_not_timms_are_taken_as_wanted() -> None:
    assert frames_for("torchvision/resnet18", (181, 323)) == (181, 323)
    assert frames_for("tf_efficientnet_lite0", (181, 323)) == (181, 323)
    assert frames_for("vit_tiny_patch16_224", (224, 224)) == (224, 224)
