"""Which runtime computes a network, by a stated rule, and the network ready for pixels.

The rule, and not a race at the start, decides: a race can end differently each time on a busy
machine, and the two runtimes differ in the last digits. docs/benchmarks.md has the measurements.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from finding_nemo.core.errors import SettingsError
from finding_nemo.core.extras import install_hint
from finding_nemo.core.names.inference_names import (
    AUTO,
    CPU,
    FLOAT32,
    RUNTIMES,
    Dtype,
    RuntimeName,
    RuntimeOption,
    RuntimeRow,
    check_device,
    device_kind,
)
from finding_nemo.core.names.registries import find_entry, load
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.processes.cores import usable_cores
from finding_nemo.models.inference.pixel_network import PixelNetwork, Runtime, RuntimeChoice


def runtime_of(name: RuntimeName) -> Runtime:
    """Return the runtime of a row of `RUNTIMES`; its library is loaded when it computes."""
    found: Runtime = load(f"finding_nemo.models.inference.{name}_network:RUNTIME")
    return found


def choose_runtime(
    *, dtype: Dtype, runtime: RuntimeOption = AUTO, device: str = AUTO
) -> RuntimeChoice:
    """Return what computes a network, with the reason.

    A GPU comes first, then the runtimes in the order of `RUNTIMES`.

    Raises:
        SettingsError: If the wanted runtime is not installed, it computes on no such device, or
            nothing here computes the precision.
    """
    wanted = (
        list(RUNTIMES.values())
        if runtime == AUTO
        else [find_entry(RUNTIMES, runtime, kind="runtime")]
    )
    offers = [(row, there) for row in wanted for there in runtime_of(row.name).devices()]
    if not offers:
        hint = install_hint(wanted[0].extra)
        raise SettingsError(f"--runtime {runtime}: it is not installed. {hint}")
    wanted_device = check_device(device)
    row, found = _first_on(wanted_device, offers)
    if not runtime_of(row.name).computes(dtype, found):
        where = "this processor" if found == CPU else found
        raise SettingsError(
            f"{row.name} on {where} does not compute in {dtype}. Use --dtype float32, or int8 "
            "after finding-nemo export BUNDLE --to onnx --int8."
        )
    reason = "on the device asked for" if wanted_device != AUTO else _reason(row, found, runtime)
    return RuntimeChoice(row.name, found, dtype, reason, is_device_asked=wanted_device != AUTO)


def _first_on(wanted: str, offers: Sequence[tuple[RuntimeRow, str]]) -> tuple[RuntimeRow, str]:
    """Return the runtime that computes on a device, and the device with the number of its card."""
    if wanted == AUTO:
        return next((offer for offer in offers if offer[1] != CPU), offers[0])
    for row, device in offers:
        if device == device_kind(wanted):
            return row, wanted
    there = ", ".join(f"{row.title} on {device}" for row, device in offers)
    hint = "" if wanted == CPU else f" {install_hint('gpu')} See docs/gpu.md."
    raise SettingsError(
        f"--device {wanted}: nothing that is installed computes on it; there is {there}.{hint}"
    )


def _reason(row: RuntimeRow, device: str, wanted: RuntimeOption) -> str:
    if device != CPU:
        return f"this {row.title} computes on {device}"
    if wanted != AUTO:
        return "as asked"
    names = list(RUNTIMES)
    better = [RUNTIMES[name] for name in names[: names.index(row.name)]]
    absent = [each.extra for each in better if each.extra]
    if row.extra or not absent:
        return f"installed, and {row.about}"
    return f"the extra finding-nemo[{','.join(absent)}] is not installed"


def open_network(
    network: Path | bytes,
    preprocessing: Preprocessing,
    *,
    dtype: Dtype = FLOAT32,
    runtime: RuntimeOption = AUTO,
    device: str = AUTO,
    workers: int | None = None,
    with_maps: bool = False,
) -> PixelNetwork:
    """Load a network on the best runtime.

    Args:
        network: An ONNX file or its bytes.
        preprocessing: What is done to pixels.
        dtype: Of the arithmetic; "int8" needs a network made for it.
        runtime: "auto", or the one that must compute it.
        device: "auto", or where it must be computed: "cpu", "cuda", "cuda:1", "tensorrt".
        workers: Threads that will use it at once; default: one a core.
        with_maps: Whether it gives patch logits, where it has them.

    Raises:
        BundleError: If it cannot be loaded.
        SettingsError: If the runtime, device or precision is not to be had.
    """
    choice = choose_runtime(dtype=dtype, runtime=runtime, device=device)
    return runtime_of(choice.runtime).open(
        network,
        preprocessing,
        choice=choice,
        workers=workers or usable_cores(),
        with_maps=with_maps,
    )
