"""Where each training frame stands in its dive, as tensors: the memory of `time-copy`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from finding_nemo.scoring.baselines import FrameKey

_TEXT = "utf-8"


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
    tensors: dict[str, npt.NDArray[Any]],
) -> tuple[list[FrameKey], npt.NDArray[np.bool_]]:
    """Return the keys and the truth (images, categories) that `pack_time_table` packed."""
    dives, sequences = _unpack_words(tensors["dives"]), _unpack_words(tensors["sequences"])
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
    return packed.tobytes().decode(_TEXT).split("\n")[:-1]
