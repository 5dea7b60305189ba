"""A bundle's network, opened in the fastest precision that has been checked on real frames."""

from __future__ import annotations

from dataclasses import dataclass, replace

from finding_nemo.core.errors import BundleError, SettingsError
from finding_nemo.core.names.inference_names import (
    AUTO,
    BFLOAT16,
    DTYPES,
    FLOAT32,
    INT8,
    RUNTIMES,
    Dtype,
    DtypeOption,
    RuntimeOption,
)
from finding_nemo.models.bundle.bundle import Bundle
from finding_nemo.models.bundle.bundle_files import INT8_NETWORK, NETWORK
from finding_nemo.models.bundle.export_records import ExportRecords, read_export_records
from finding_nemo.models.inference.pixel_network import PixelNetwork, RuntimeChoice
from finding_nemo.models.inference.runtime_choice import choose_runtime, open_network, runtime_of
from finding_nemo.models.onnx_check.check_onnx import CheckedNetwork, check_network


@dataclass(frozen=True, slots=True)
class InferenceOptions:
    """How a network is to be computed.

    Attributes:
        dtype: The precision; "auto" takes the fastest that `export` has checked.
        runtime: "auto" takes the fastest by the stated rule.
        device: "auto" takes a GPU where one is offered; else "cpu", "cuda", "cuda:1", "tensorrt".
    """

    dtype: DtypeOption = AUTO
    runtime: RuntimeOption = AUTO
    device: str = AUTO


DEFAULT_INFERENCE = InferenceOptions()


def choose_for_bundle(
    bundle: Bundle, options: InferenceOptions = DEFAULT_INFERENCE
) -> RuntimeChoice:
    """Return what will compute the network of a bundle, with the reason, without loading it.

    Raises:
        SettingsError: If the precision, runtime or device is not to be had.
    """
    chosen, reason = _dtype(bundle, options)
    choice = choose_runtime(dtype=chosen, runtime=options.runtime, device=options.device)
    return replace(choice, reason=f"{choice.reason}; {reason}")


def open_bundle_network(
    bundle: Bundle,
    options: InferenceOptions = DEFAULT_INFERENCE,
    *,
    workers: int | None = None,
    with_maps: bool = False,
) -> PixelNetwork:
    """Load the network of a bundle.

    Args:
        bundle: Whose runner is a network.
        options: How it is to be computed.
        workers: Threads that will use it at once; default: one a core.
        with_maps: Whether it gives patch logits, where it has them; they cost nothing where not.

    Raises:
        BundleError: If it is not of the form that is opened, or cannot be loaded.
        SettingsError: If the precision, runtime or device is not to be had.
    """
    choice = choose_for_bundle(bundle, options)
    network = open_network(
        checked_network(bundle, choice.dtype),
        bundle.preprocessing,
        dtype=choice.dtype,
        runtime=options.runtime,
        device=options.device,
        workers=workers,
        with_maps=with_maps,
    )
    if network.choice.device == choice.device:
        network.choice = choice
    return network


def grid_of_maps(
    bundle: Bundle, options: InferenceOptions = DEFAULT_INFERENCE
) -> tuple[int, int] | None:
    """Return rows and columns of the maps that a bundle's network gives; `None` without any.

    Raises:
        BundleError: If it is not of the form that is opened.
        SettingsError: If the precision, runtime or device is not to be had.
    """
    if bundle.manifest.runner != "network":
        return None
    return _checked(bundle, choose_for_bundle(bundle, options).dtype)[1].grid


def checked_network(bundle: Bundle, dtype: Dtype = FLOAT32) -> bytes:
    """Return the bytes of a bundle's network, which a runtime may be given.

    Bytes and not a path: what was checked is what is opened, and no file beside it can be reached.

    Raises:
        BundleError: If it is damaged, holds what no network for pixels needs, or gives another
            number of outputs than there are categories.
        SettingsError: If it is to be in int8 and was never exported so.
    """
    return _checked(bundle, dtype)[0]


def _checked(bundle: Bundle, dtype: Dtype) -> tuple[bytes, CheckedNetwork]:
    name = INT8_NETWORK if dtype == INT8 else NETWORK
    if dtype == INT8 and not bundle.holds_int8:
        raise SettingsError(
            f"The bundle {bundle.path} holds no {INT8_NETWORK}. Make it with "
            "finding-nemo export BUNDLE --to onnx --int8."
        )
    content = bundle.network_bytes(name)
    try:
        found = check_network(content, bundle.preprocessing)
        if found.n_outputs != len(bundle.categories):
            raise BundleError(
                f"it tells {found.n_outputs} categories apart and the bundle lists "
                f"{len(bundle.categories)}"
            )
    except BundleError as error:
        raise BundleError(
            f"{bundle.path / name} is not opened: {error}. Only networks as finding-nemo exports "
            "them are; train it again, or copy it from whom you trust."
        ) from None
    return content, found


def _dtype(bundle: Bundle, options: InferenceOptions) -> tuple[Dtype, str]:
    """Return the precision and, in words, why."""
    if options.dtype != AUTO:
        return options.dtype, f"{options.dtype} as asked"
    choice = choose_runtime(dtype=FLOAT32, runtime=options.runtime, device=options.device)
    records = read_export_records(bundle.path)
    if bundle.holds_int8 and _is_checked(records, choice.runtime, INT8):
        return INT8, _because(records, choice.runtime, INT8)
    usual = DTYPES[FLOAT32].about
    if not runtime_of(choice.runtime).computes(BFLOAT16, choice.device):
        return FLOAT32, usual
    if _is_checked(records, choice.runtime, BFLOAT16):
        return BFLOAT16, _because(records, choice.runtime, BFLOAT16)
    return FLOAT32, (
        f"{usual} (finding-nemo export BUNDLE --to {RUNTIMES[choice.runtime].export_target} "
        f"checks bfloat16 on real frames, {DTYPES[BFLOAT16].about} here)"
    )


def _is_checked(records: ExportRecords, runtime: str, dtype: Dtype) -> bool:
    record = records.find(runtime, dtype)
    return record is not None and record.is_good_enough


def _because(records: ExportRecords, runtime: str, dtype: Dtype) -> str:
    record = records.find(runtime, dtype)
    change = 0.0 if record is None else record.map_at_20_change
    n_images = 0 if record is None else record.n_images
    return (
        f"{DTYPES[dtype].about} as float32, and MAP@20 changed by {change:+.4f} on {n_images} "
        "frames when it was exported"
    )
