"""What each recipe may be told: its settings, with what each means and its usual value."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from finding_nemo.core.config import Settings
from finding_nemo.core.names.inference_names import TrainingDtype
from finding_nemo.core.preprocessing import ResizeName
from finding_nemo.training.recipes.loop_choices import (
    AugmentationName,
    LossName,
    OptimizerName,
    SamplerName,
    ScheduleName,
)

# Backbones that are layers on bare pixels: nobody has trained them on ImageNet.
ON_PIXELS = ("linear", "basic")
# What stands before the path of a user's exported network.
ONNX = "onnx:"


def is_onnx(backbone: str) -> bool:
    """Return whether a backbone is a user's ONNX file."""
    return backbone.startswith(ONNX)


def _refuse_both(pretrained: bool | None, weights: str, backbone: str) -> None:
    """Refuse weights that nothing would read."""
    if weights and pretrained is False:
        raise ValueError(f"weights = {weights!r} and pretrained = false: leave one of them out")
    if weights and is_onnx(backbone):
        raise ValueError(
            f"weights = {weights!r}: backbone {backbone!r} holds its own; leave it out"
        )


class BaselineSettings(Settings):
    """A baseline that opens no image has nothing to set."""


class TrainerSettings(Settings):
    """What every training loop needs.

    Attributes:
        epochs: Passes over the training images.
        batch_size: Images in one step.
        micro_batch_size: Images of a step, in one process, whose gradients are computed together
            (gradient accumulation); fewer need less memory, 0 is all of them. "null": all, but for
            `nemo` no more than a laptop's memory holds.
        optimizer: What takes the steps.
        learning_rate: The largest one.
        weight_decay: On weights, not on biases, for "adamw".
        schedule: How the learning rate changes from step to step.
        sampler: Which images an epoch shows, and in which order.
        device: "auto", "cpu", "cuda" or "mps".
        dtype: "auto", "float32" or "bfloat16".
        compile: Whether torch compiles the network's step, for long trainings on a GPU: minutes
            before the first, and it needs a C++ compiler. The last digits of weights become others.
        ema_decay: Decay of the exponential moving average (EMA) of the weights, which is validated
            and kept; 0 for the weights themselves.
        ancestors: What categories are that stand, in the tree of names, above or below what is
            labelled in a frame, as a family above its species: "negative", as every category
            without a label, or "ignored", neither there nor absent.
    """

    epochs: int = Field(ge=1, le=10_000)
    batch_size: int = Field(default=32, ge=1, le=65_536)
    micro_batch_size: int | None = Field(default=None, ge=0, le=65_536)
    optimizer: OptimizerName = "adam"
    # Above 1e37 Adam's own arithmetic overflows before the loss can be seen to.
    learning_rate: float = Field(default=1e-3, gt=0, le=1e30)
    weight_decay: float = Field(default=0.0, ge=0)
    schedule: ScheduleName = "constant"
    sampler: SamplerName = "shuffle"
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    dtype: TrainingDtype = "auto"
    compile: bool = False
    ema_decay: float = Field(default=0.0, ge=0, lt=1)
    ancestors: Literal["negative", "ignored"] = "negative"


class LossSettings(TrainerSettings):
    """A loop whose loss is a choice; what looks at patches has a loss of its own.

    Attributes:
        loss: What is made small.
    """

    loss: LossName = "mean-bce"


class NetworkSettings(LossSettings):
    """A network trained on pixels, from end to end.

    Attributes:
        backbone: "linear", "basic", "torchvision/NAME", any timm model, or "hf-hub:OWNER/MODEL".
        pretrained: Whether to start from pretrained weights, without which the training ends;
            "null": for every backbone but "linear" and "basic", which have none.
        weights: A file of them (.safetensors, or a torch file without code), or
            "hf-hub:OWNER/MODEL"; "" for the backbone's own.
        width_px: Width that the frame is resized to.
        height_px: Height that the frame is resized to.
        resize: How it is brought to that size.
        normalise: Whether pixels are centred as ImageNet weights expect; the study did not.
        cutout_px: Side of one square that is blacked out of each training image; 0 for none.
        augmentation: What else is done to training images, before they are normalised.
    """

    backbone: str
    pretrained: bool | None = None
    weights: str = ""
    width_px: int = Field(default=224, ge=8, le=4096)
    height_px: int = Field(default=224, ge=8, le=4096)
    resize: ResizeName = "stretch"
    normalise: bool = False
    cutout_px: int = Field(default=0, ge=0, le=4096)
    augmentation: AugmentationName = "none"

    @model_validator(mode="after")
    def _has_weights(self) -> Self:
        if (self.pretrained or self.weights) and self.backbone in ON_PIXELS:
            key = "weights" if self.weights else "pretrained = true"
            raise ValueError(
                f"{key}: backbone {self.backbone!r} has no ImageNet weights; leave it "
                "out, or choose another backbone"
            )
        _refuse_both(self.pretrained, self.weights, self.backbone)
        return self


class ProbeSettings(LossSettings):
    """A linear head on the features of a frozen network.

    Attributes:
        backbone: Any timm model, "hf-hub:OWNER/MODEL", or "onnx:FILE" for features of a network of
            your own.
        pretrained: Whether pretrained weights are wanted; without them features are noise.
        weights: A file of them (.safetensors, or a torch file without code), or
            "hf-hub:OWNER/MODEL"; "" for the backbone's own.
        width_px: Width that the frame is resized to.
        height_px: Height that the frame is resized to.
        resize: How it is brought to that size.
        dropout: Share of features dropped at each step.
    """

    backbone: str = "tf_efficientnet_lite0"
    pretrained: bool = True
    weights: str = ""
    width_px: int = Field(default=224, ge=8, le=4096)
    height_px: int = Field(default=224, ge=8, le=4096)
    resize: ResizeName = "stretch"
    dropout: float = Field(default=0.65, ge=0, lt=1)

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        _refuse_both(self.pretrained, self.weights, self.backbone)
        return self


class PatchesSettings(TrainerSettings):
    """Heads on each patch of a frame, over the features of a frozen network.

    Attributes:
        epochs: Passes over the training images; 0 for as many as show about 24,000.
        backbone: Any timm model over pixels, "hf-hub:OWNER/MODEL", or "onnx:FILE" for features of a
            network of your own.
        pretrained: Whether to start from pretrained weights, without which the training ends.
        weights: A file of them (.safetensors, or a torch file without code), or
            "hf-hub:OWNER/MODEL"; "" for the backbone's own.
        width_px: Width that the frame is resized to; "null" (with `height_px`): chosen from how
            small the boxes are.
        height_px: Height that the frame is resized to.
        dropout: Share of features dropped at each step.
        patch_loss_weight: Weight of the loss over patches, from boxes, beside that of the whole
            frame.
        global_weight: What the frame as a whole weighs in prediction beside its patches.
        top_k_patches: In prediction the mean of so many patches speaks for all; 0 for a soft
            maximum over all of them.
    """

    epochs: int = Field(default=0, ge=0, le=10_000)
    backbone: str = "tf_efficientnet_lite2"
    pretrained: bool = True
    weights: str = ""
    width_px: int | None = Field(default=None, ge=32, le=4096)
    height_px: int | None = Field(default=None, ge=32, le=4096)
    dropout: float = Field(default=0.65, ge=0, lt=1)
    patch_loss_weight: float = Field(default=5.0, ge=0)
    global_weight: float = Field(default=1.0, ge=0, le=10)
    top_k_patches: int = Field(default=3, ge=0, le=10_000)

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.width_px is None) != (self.height_px is None):
            raise ValueError(
                f"width_px = {self.width_px} and height_px = {self.height_px}: set both or neither"
            )
        _refuse_both(self.pretrained, self.weights, self.backbone)
        return self


class NemoSettings(PatchesSettings):
    """The same with the network trained too, on augmented views of frames.

    Attributes:
        epochs: Passes over the training images, a new view of each in every pass; 0 for as many as
            show about 4,000 views, or 12,000 where not every layer is trained: longer training
            overfits the dives.
        trained_layers: How many of the backbone's layers are trained, from the top, as timm
            counts them; the rest keeps its weights. "null": all where boxes say in at least half
            of the training images where things are, else none.
        backbone_rate: What the learning rate of the highest layer is multiplied with.
        layer_decay: The same from each layer to the one below.
        dropout: Share of features dropped at each step.
        patch_loss_weight: Weight of the loss over patches, from boxes, beside that of the whole
            frame.
        copy_paste: How many animals of other frames are pasted into a view, on average.
        color_transfer_prob: Share of views that are shown in the light of a training frame of any
            dive.
        global_weight: What the frame as a whole weighs in prediction beside its patches.
        top_k_patches: In prediction the mean of so many patches speaks for all; 0 for a soft
            maximum over all of them. Both only where boxes supervise the patches.
        gradient_checkpointing: Whether activations are computed twice to save memory; "null":
            where large frames would take a laptop's.
    """

    trained_layers: int | None = Field(default=None, ge=0)
    backbone_rate: float = Field(default=0.2, ge=0)
    layer_decay: float = Field(default=1.0, gt=0, le=1)
    dropout: float = Field(default=0.5, ge=0, lt=1)
    copy_paste: float = Field(default=1.5, ge=0, le=20)
    color_transfer_prob: float = Field(default=0.6, ge=0, le=1)
    global_weight: float = Field(default=0.5, ge=0, le=10)
    gradient_checkpointing: bool | None = None


AnySettings = BaselineSettings | NetworkSettings | ProbeSettings | PatchesSettings | NemoSettings
