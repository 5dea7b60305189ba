"""Which runtime computes a network, by a stated rule, and the network ready for pixels.

The rule, and not a race at the start, decides: a race can end differently each time on a busy
machine, and the two runtimes differ in the last digits. docs/benchmarks.md has the measurements.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import onnxruntime as ort

from finding_nemo.core.errors import SettingsError
from finding_nemo.core.extras import install_hint
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.models.inference.onnxruntime_network import CPU_PROVIDER, OnnxNetwork
from finding_nemo.models.inference.openvino_network import (
    OpenVinoPixels,
    has_bfloat16,
    is_openvino_installed,
)
from finding_nemo.models.inference.pixel_network import (
    Dtype,
    OnnxPixels,
    PixelNetwork,
    RuntimeChoice,
)

Runtime = Literal["auto", "openvino", "onnxruntime"]
RUNTIMES: tuple[Runtime, ...] = ("auto", "openvino", "onnxruntime")

# ONNX Runtime's provider of each device, best first.
_GPUS = {"tensorrt": "TensorrtExecutionProvider", "cuda": "CUDAExecutionProvider"}


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def choose_runtime(*, dtype: Dtype, runtime: Runtime = "auto") -> RuntimeChoice:
    """Return what computes a network, with the reason.

    A GPU of ONNX Runtime comes first, then OpenVINO where it is installed, then ONNX Runtime.

    Raises:
        SettingsError: If OpenVINO is wanted and not installed, or nothing here computes the
            precision.
    """
    gpu = next((d for d, name in _GPUS.items() if name in ort.get_available_providers()), None)
    if runtime != "openvino" and gpu is not None:
        _check_dtype(dtype, f"onnxruntime on {gpu}", has=dtype != "bfloat16")
        return RuntimeChoice("onnxruntime", gpu, dtype, f"this ONNX Runtime computes on {gpu}")
    if runtime == "onnxruntime" or (runtime == "auto" and not is_openvino_installed()):
        why = "as asked" if runtime != "auto" else "the extra finding-nemo[fast] is not installed"
        _check_dtype(dtype, "onnxruntime on a CPU", has=dtype != "bfloat16")
        return RuntimeChoice("onnxruntime", "cpu", dtype, why)
    if not is_openvino_installed():
        raise SettingsError(f"--runtime openvino: it is not installed. {install_hint('fast')}")
    can = dtype != "bfloat16" or has_bfloat16()
    _check_dtype(dtype, "openvino on this processor", has=can)
    why = "as asked" if runtime != "auto" else "installed, and faster than ONNX Runtime on a CPU"
    return RuntimeChoice("openvino", "cpu", dtype, why)


def _check_dtype(dtype: Dtype, where: str, *, has: bool) -> None:
    if not has:
        raise SettingsError(
            f"{where} does not compute in {dtype}. Use --dtype float32, or int8 after "
            "finding-nemo export BUNDLE --to onnx --int8."
        )


def open_network(
    network: Path | bytes,
    preprocessing: Preprocessing,
    *,
    dtype: Dtype = "float32",
    runtime: Runtime = "auto",
    workers: int | None = None,
) -> PixelNetwork:
    """Load a network on the best runtime.

    Args:
        network: An ONNX file or its bytes.
        preprocessing: What is done to pixels.
        dtype: Of the arithmetic; "int8" needs a network made for it.
        runtime: "auto", or the one that must compute it.
        workers: Threads that will use it at once; default: one a core.

    Raises:
        BundleError: If it cannot be loaded.
        SettingsError: If the runtime or precision is not to be had.
    """
    choice = choose_runtime(dtype=dtype, runtime=runtime)
    workers = workers or usable_cores()
    if choice.runtime == "openvino":
        return OpenVinoPixels(network, preprocessing, choice=choice, workers=workers)
    providers = [CPU_PROVIDER] if choice.device == "cpu" else [*_GPUS.values(), CPU_PROVIDER]
    there = [name for name in providers if name in ort.get_available_providers()]
    loaded = OnnxNetwork(network, threads=1 if choice.device == "cpu" else 0, providers=there)
    if choice.device != "cpu" and loaded.providers[0] == CPU_PROVIDER:
        reason = f"{choice.device} is offered but did not start"
        choice = RuntimeChoice("onnxruntime", "cpu", dtype, reason)
    return OnnxPixels(loaded, preprocessing, choice=choice, workers=workers)
