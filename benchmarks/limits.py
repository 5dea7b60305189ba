"""The network alone against the best rate that this machine reaches in the same precision."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from timing import ROUNDS, in_turn, table

from finding_nemo.core.names.inference_names import DTYPES, DtypeOption, RuntimeOption
from finding_nemo.models.bundle.bundle import load_bundle
from finding_nemo.models.inference.open_bundle_network import (
    InferenceOptions,
    open_bundle_network,
)
from finding_nemo.models.inference.pixel_network import PixelNetwork

# Multiplications and additions of tf_efficientnet_lite0 at 224 x 224.
GFLOP = 0.77
_SIDE = 4096
_SECONDS = 2.0


def matmul_rate(dtype: str) -> float:
    """Return the best of a few matrix products, in Gop/s, on all cores."""
    if dtype == "int8":
        a = torch.randint(-9, 9, (_SIDE, _SIDE), dtype=torch.int8)
        product: Callable[[], object] = lambda: torch._int_mm(a, a)  # noqa: E731
    else:
        kind = torch.bfloat16 if dtype == "bfloat16" else torch.float32
        b = torch.randn(_SIDE, _SIDE).to(kind)
        product = lambda: b @ b  # noqa: E731
    product()
    times = []
    for _ in range(5):
        started = time.perf_counter()
        product()
        times.append(time.perf_counter() - started)
    best = 2 * _SIDE**3 / min(times) / 1e9
    if dtype != "float32":
        return best
    c = np.random.default_rng(0).random((_SIDE, _SIDE), dtype=np.float32)
    started = time.perf_counter()
    _ = c @ c
    return max(best, 2 * _SIDE**3 / (time.perf_counter() - started) / 1e9)


def network_rate(network: PixelNetwork) -> float:
    """Return images/s with every worker busy."""
    pixels = np.random.default_rng(0).integers(0, 256, (1, 224, 224, 3), dtype=np.uint8)
    stop = time.perf_counter() + _SECONDS
    counts = [0] * network.workers

    def work(place: int) -> None:
        while time.perf_counter() < stop:
            network.forward(pixels)
            counts[place] += 1

    threads = [threading.Thread(target=work, args=(k,)) for k in range(network.workers)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - started)


def compare(bundle: Path) -> str:
    """Return the table of every runtime and precision."""
    loaded = load_bundle(bundle)
    kinds: list[tuple[RuntimeOption, DtypeOption]] = [
        ("onnxruntime", "float32"), ("onnxruntime", "int8"), ("openvino", "float32"),
        ("openvino", "bfloat16"), ("openvino", "int8"),
    ]  # fmt: skip
    networks = {
        kind: open_bundle_network(loaded, InferenceOptions(kind[1], kind[0])) for kind in kinds
    }
    rates = in_turn(
        {f"{r}/{p}": partial(network_rate, network) for (r, p), network in networks.items()}
    )
    limits = {
        dtype: statistics.median(matmul_rate(dtype) for _ in range(ROUNDS)) for dtype in DTYPES
    }
    rows = []
    for runtime, dtype in kinds:
        rate, limit = rates[f"{runtime}/{dtype}"], limits[dtype]
        share = rate * GFLOP / limit
        rows.append(
            [
                runtime,
                dtype,
                f"{rate:.0f}",
                f"{rate * GFLOP:.0f}",
                f"{limit:.0f}",
                f"{share:.0%}",
            ]
        )
    return table(
        ["runtime", "dtype", "images/s", "Gop/s", "best matrix product, Gop/s", "share"], rows
    )
