"""What is done to the pixels of a frame before a network sees them, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from finding_nemo.core.config import Settings, one_of
from finding_nemo.core.names.registries import registry

# Far beyond any camera; outside these float32 overflows or divides by zero.
_Mean = Annotated[float, Field(ge=-1e6, le=1e6)]
_Std = Annotated[float, Field(ge=1e-6, le=1e6)]
Channels = tuple[_Mean, _Mean, _Mean]
Spreads = tuple[_Std, _Std, _Std]


@dataclass(frozen=True, slots=True)
class ResizeRow:
    """One way to resize.

    Attributes:
        name: As given to the setting `resize`.
        about: One line for people.
        function: "module:function"; from a frame and (width, height) to a frame of that size.
    """

    name: str
    about: str
    function: str


RESIZES: Mapping[str, ResizeRow] = registry(
    ResizeRow(
        "stretch",
        "the whole frame, its aspect ratio not kept",
        "finding_nemo.data.images.resize:stretch",
    ),
)
ResizeName = Annotated[str, one_of(RESIZES)]


class Preprocessing(Settings):
    """The one definition that training and prediction share.

    Attributes:
        width_px: Width that the network takes.
        height_px: Height that the network takes.
        resize: How a frame is brought to that size, a name of `RESIZES`.
        interpolation: "bilinear", antialiased (support grows with the reduction).
        mean: Subtracted from each channel (red, green, blue) of pixels in [0, 1].
        std: Divides each channel after that.
    """

    width_px: int = Field(default=224, ge=1, le=4096)
    height_px: int = Field(default=224, ge=1, le=4096)
    resize: ResizeName = "stretch"
    interpolation: Literal["bilinear"] = "bilinear"
    mean: Channels = (0.0, 0.0, 0.0)
    std: Spreads = (1.0, 1.0, 1.0)
