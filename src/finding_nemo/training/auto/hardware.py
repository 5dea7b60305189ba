"""What the machine offers, chosen with the reason in words."""

from __future__ import annotations

import torch

from finding_nemo.core.choice import Choice
from finding_nemo.core.errors import SettingsError
from finding_nemo.core.names.inference_names import BFLOAT16, FLOAT32
from finding_nemo.core.processes.cores import usable_cores

# A view takes about 1 ms of Python, during which no other thread can run: more would wait.
_MOST_RENDERING_THREADS = 16


def choose_device(wanted: str) -> Choice[str]:
    """Return the device to train on.

    Raises:
        SettingsError: If the wanted one is not there.
    """
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": _has_mps()}
    if wanted != "auto":
        if not there[wanted]:
            raise SettingsError(f"device = {wanted!r}, but this machine has none; use device=auto.")
        return Choice(wanted, "as set")
    if there["cuda"]:
        return Choice("cuda", torch.cuda.get_device_name(0))
    if there["mps"]:
        return Choice("mps", "the machine's own GPU")
    return Choice("cpu", f"no GPU; {torch.get_num_threads()} threads")


def _has_mps() -> bool:
    return torch.backends.mps.is_available()


def choose_dtype(wanted: str, device: str) -> Choice[str]:
    """Return the dtype that the network computes in."""
    if wanted != "auto":
        return Choice(wanted, "as set")
    if device == "cuda" and torch.cuda.is_bf16_supported():
        return Choice(BFLOAT16, "this GPU computes it faster and it needs no loss scaling")
    return Choice(FLOAT32, "the same numbers on every processor; bfloat16 can be set")


def normalising_device(wanted: str) -> str:
    """Return where pixels are normalised: on the CUDA card that trains, else on the processor.

    Raises:
        SettingsError: If the wanted device is not there.
    """
    return "cuda" if choose_device(wanted).value == "cuda" else "cpu"


def choose_matrix_products(dtype: str) -> Choice[str]:
    """Return how exactly a card computes matrix products of float32 numbers: "high" or "highest".

    "high" is TF32 on the cards that have it: 10 bits of each factor, summed in float32.
    """
    if dtype == FLOAT32:
        return Choice("highest", "float32 was asked for")
    return Choice("high", f"TF32 for what is left in float32: more bits than {dtype} has")


def choose_rendering_threads(device: str, *, n_processes: int) -> Choice[int]:
    """Return how many threads render augmented views.

    Args:
        device: Where the network is trained.
        n_processes: How many train together; they are taken to be on one machine.
    """
    cores = usable_cores()
    if device == "cpu":
        return Choice(1, f"the network itself keeps {torch.get_num_threads()} threads busy")
    # One core is left to whoever feeds the GPU.
    threads = min(max(cores // n_processes - 1, 1), _MOST_RENDERING_THREADS)
    among = f" among {n_processes} processes" if n_processes > 1 else ""
    return Choice(threads, f"{cores} cores{among}; the network is on the GPU")
