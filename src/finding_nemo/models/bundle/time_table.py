"""Where each training frame stands in its dive, as tensors: the memory of `time-copy`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from finding_nemo.core.errors import BundleError
from finding_nemo.core.text.printable import printable
from finding_nemo.metrics.baselines import FrameKey

_TEXT = "utf-8"
# Of each tensor: numpy's kind of its numbers, and whether it has one a frame.
_KINDS = {
    "dives": ("u", False),
    "dive_index": ("iu", True),
    "sequences": ("u", False),
    "sequence_index": ("iu", True),
    "times_s": ("f", True),
    "frame_numbers": ("f", True),
    "truth": ("u", True),
}
_WRONG = "weights.safetensors holds no table of times"
_AGAIN = "Train or copy the bundle again."


def pack_time_table(
    keys: Sequence[FrameKey], truth: npt.NDArray[np.bool_]
) -> dict[str, npt.NDArray[Any]]:
    """Return the tensors that hold `keys` and `truth`."""
    dives, dive_index = np.unique([key.dive for key in keys], return_inverse=True)
    sequences, sequence_index = np.unique([key.sequence for key in keys], return_inverse=True)
    return {
        "dives": _pack_words(dives.tolist()),
        "dive_index": dive_index.astype(np.int32),
        "sequences": _pack_words(sequences.tolist()),
        "sequence_index": sequence_index.astype(np.int32),
        "times_s": np.array([key.time_s for key in keys]),
        "frame_numbers": np.array([key.frame_number for key in keys]),
        "truth": truth.astype(np.uint8),
    }


def unpack_time_table(
    tensors: dict[str, npt.NDArray[Any]], *, n_categories: int | None = None
) -> tuple[list[FrameKey], npt.NDArray[np.bool_]]:
    """Return the keys and the truth (images, categories) that `pack_time_table` packed.

    Raises:
        BundleError: If the tensors are not those.
    """
    _check(tensors)
    if n_categories not in (None, tensors["truth"].shape[1]):
        raise BundleError(
            f"{_WRONG} of {n_categories} categories: truth is of shape {tensors['truth'].shape}. "
            f"{_AGAIN}"
        )
    dives, sequences = _unpack_words(tensors["dives"]), _unpack_words(tensors["sequences"])
    for name, words in (("dive_index", dives), ("sequence_index", sequences)):
        index = tensors[name]
        if len(index) and not 0 <= index.min() <= index.max() < len(words):
            raise BundleError(f"{_WRONG}: {name} points beyond its {len(words)} words. {_AGAIN}")
    keys = [
        FrameKey(dives[dive], float(time_s), sequences[sequence], float(number))
        for dive, time_s, sequence, number in zip(
            tensors["dive_index"],
            tensors["times_s"],
            tensors["sequence_index"],
            tensors["frame_numbers"],
            strict=True,
        )
    ]
    return keys, tensors["truth"].astype(np.bool_)


def _pack_words(words: list[str]) -> npt.NDArray[np.uint8]:
    """Pack words with a line end after each; a dive or a file name holds none."""
    text = "".join(word.replace("\n", " ") + "\n" for word in words)
    return np.frombuffer(text.encode(_TEXT), dtype=np.uint8)


def _unpack_words(packed: npt.NDArray[np.uint8]) -> list[str]:
    try:
        return packed.tobytes().decode(_TEXT).split("\n")[:-1]
    except UnicodeDecodeError as error:
        raise BundleError(f"{_WRONG}: {error}. {_AGAIN}") from None


def _check(tensors: dict[str, npt.NDArray[Any]]) -> None:
    if set(tensors) != set(_KINDS):
        odd = sorted(set(tensors) ^ set(_KINDS))[0]
        raise BundleError(f"{_WRONG}: {printable(odd)!r} is missing or unknown. {_AGAIN}")
    n_frames = len(tensors["truth"]) if tensors["truth"].ndim == 2 else -1
    for name, (kinds, is_a_frame) in _KINDS.items():
        tensor = tensors[name]
        of_frames = not is_a_frame or len(tensor) == n_frames
        if (
            tensor.dtype.kind not in kinds
            or tensor.ndim != (2 if name == "truth" else 1)
            or (not of_frames)
        ):
            raise BundleError(
                f"{_WRONG}: {name} is {tensor.dtype} of shape {tensor.shape}. {_AGAIN}"
            )
