"""What computes a network, and in what, by name: each name stands here once.

The runtime of a row `name` is the object `RUNTIME` of `models/inference/<name>_network.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from finding_nemo.core.errors import SettingsError
from finding_nemo.core.names.registries import registry

RuntimeName = Literal["openvino", "onnxruntime"]
RuntimeOption = Literal["auto", RuntimeName]
Dtype = Literal["float32", "bfloat16", "int8"]
DtypeOption = Literal["auto", Dtype]
# What a training may compute in: int8 comes after it, by export.
TrainingDtype = Literal["auto", "float32", "bfloat16"]

AUTO: Final = "auto"
FLOAT32: Final = "float32"
BFLOAT16: Final = "bfloat16"
INT8: Final = "int8"
ONNXRUNTIME: Final = "onnxruntime"
CPU: Final = "cpu"
CUDA: Final = "cuda"
TENSORRT: Final = "tensorrt"
_DEVICE = re.compile(r"auto|cpu|(cuda|tensorrt)(:[0-9]{1,3})?")
# The output of a network that says what each patch says.
PATCH_LOGITS: Final = "patch_logits"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeRow:
    """One runtime.

    Attributes:
        name: As given to `--runtime`, and of its library.
        title: As it is written.
        about: One line for people.
        export_target: As given to `export --to`.
        extra: The extra that installs it; "" for what is always there.
    """

    name: RuntimeName
    title: str
    about: str
    export_target: str
    extra: str = ""


# Of those on a CPU the first that is installed computes.
RUNTIMES: Mapping[str, RuntimeRow] = registry(
    RuntimeRow(
        name="openvino",
        title="OpenVINO",
        about="faster than ONNX Runtime on a CPU",
        export_target="openvino",
        extra="fast",
    ),
    RuntimeRow(
        name="onnxruntime",
        title="ONNX Runtime",
        about="always there, also on a GPU",
        export_target="onnx",
    ),
)
EXPORT_TARGETS: Mapping[str, RuntimeRow] = {row.export_target: row for row in RUNTIMES.values()}
RUNTIME_OPTIONS: tuple[RuntimeOption, ...] = (AUTO, *(row.name for row in RUNTIMES.values()))


@dataclass(frozen=True, slots=True)
class DtypeRow:
    """What a network can be computed in.

    Attributes:
        name: As given to `--dtype`.
        about: Its speed beside float32 on a processor with the instructions for it.
    """

    name: Dtype
    about: str


DTYPES: Mapping[str, DtypeRow] = registry(
    DtypeRow("float32", "the precision that it was trained in"),
    DtypeRow("bfloat16", "about twice as fast"),
    DtypeRow("int8", "about 3 times as fast"),
)
DTYPE_OPTIONS: tuple[DtypeOption, ...] = (AUTO, *(row.name for row in DTYPES.values()))


def device_kind(device: str) -> str:
    """Return what a device is, without the number of its card: "cuda" of "cuda:1"."""
    return device.partition(":")[0]


def card_of(device: str) -> int:
    """Return the number of a device's card, 0 where none is named."""
    return int(device.partition(":")[2] or 0)


def check_device(name: str) -> str:
    """Return `name` if it is a device, perhaps with the number of a card, or "auto".

    Raises:
        SettingsError: If it is not.
    """
    if _DEVICE.fullmatch(name):
        return name
    raise SettingsError(
        f"Unknown device {name!r}; known: auto, cpu, cuda, tensorrt, and cuda:1 or tensorrt:1 for "
        "the second card."
    )


def check_runtime(name: str) -> RuntimeOption:
    """Return `name` if it is a runtime or "auto".

    Raises:
        SettingsError: If it is not.
    """
    for known in RUNTIME_OPTIONS:
        if name == known:
            return known
    raise SettingsError(f"Unknown runtime {name!r}; known: {', '.join(RUNTIME_OPTIONS)}.")


def check_dtype(name: str) -> DtypeOption:
    """Return `name` if it is a dtype or "auto".

    Raises:
        SettingsError: If it is not.
    """
    for known in DTYPE_OPTIONS:
        if name == known:
            return known
    raise SettingsError(f"Unknown dtype {name!r}; known: {', '.join(DTYPE_OPTIONS)}.")
