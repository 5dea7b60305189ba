"""Files to a Parquet file of full vectors: the usual way and ours in turn, and both MAP@20."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
from timing import child, in_turn, table

from finding_nemo.core.names.inference_names import DTYPES
from finding_nemo.metrics.ranking import map_at_k
from finding_nemo.models.bundle.bundle import load_bundle
from finding_nemo.models.bundle.uncertainty_tensors import uncertainty_from_tensors

# The network's loading is part of our time: enough frames that it is a tenth or less.
SMALL_FRAMES, LARGE_FRAMES = (512, 5_000), (192, 1_500)


def compare(
    frames: Mapping[str, tuple[Sequence[Path], Sequence[Path]]],
    *,
    bundle: Path,
    truth: npt.NDArray[np.bool_],
    scratch: Path,
    counts: tuple[int, int] = SMALL_FRAMES,
) -> str:
    """Return one table for each kind of frames.

    Args:
        frames: From a name to (frames to time, frames with known truth).
        bundle: A probe on `tf_efficientnet_lite0`, exported.
        truth: Of the second frames, the same for each kind.
        scratch: A folder for lists and results.
        counts: How many frames the usual way reads in a round, and how many we.
    """
    return "\n\n".join(
        f"### {name}\n\n{_one(bundle, timed, evaluated, truth[: len(evaluated)], scratch, counts)}"
        for name, (timed, evaluated) in frames.items()
    )


def _one(
    bundle: Path,
    timed: Sequence[Path],
    evaluated: Sequence[Path],
    truth: npt.NDArray[np.bool_],
    scratch: Path,
    counts: tuple[int, int],
) -> str:
    theirs, ours = counts
    scripts = {
        "eager fp32, batch 32 (the usual way)": ("child_rival.py", "usual", theirs),
        "eager fp32, channels-last, batch 8, malloc tuned": ("child_rival.py", "best", theirs),
        **{f"ours, {name}": ("child_ours.py", name, ours) for name in DTYPES},
    }
    maps = {}
    jobs = {}
    for number, (name, (script, mode, n)) in enumerate(scripts.items()):
        out = scratch / f"{number}.parquet"
        child(script, mode, bundle, _listed(evaluated, len(evaluated), scratch), out)
        said = _vectors(out) if script == "child_rival.py" else _before_calibration(bundle, out)
        maps[name] = map_at_k(truth, said, k=20)
        jobs[name] = partial(_rate, script, mode, bundle, _listed(timed, n, scratch), out)
    rates = in_turn(jobs)
    usual, best = (rates[name] for name in list(scripts)[:2])
    first = next(iter(maps.values()))
    return table(
        ["way", "images/s", "times the usual way", "times the best eager", "MAP@20", "change"],
        [
            [
                name,
                f"{rate:.0f}",
                f"{rate / usual:.1f}",
                f"{rate / best:.1f}",
                f"{maps[name]:.4f}",
                f"{maps[name] - first:+.4f}",
            ]
            for name, rate in rates.items()
        ],
    )


def _rate(script: str, mode: str, bundle: Path, listed: Path, out: Path) -> float:
    result = child(script, mode, bundle, listed, out)
    return float(result["n"] / result["seconds"])


def _listed(paths: Sequence[Path], n: int, scratch: Path) -> Path:
    """Write a list of `n` paths, from the start again where there are fewer."""
    chosen = [str(paths[k % len(paths)]) for k in range(n)]
    listed = scratch / f"{abs(hash(tuple(chosen)))}.txt"
    listed.write_text("\n".join(chosen))
    return listed


def _before_calibration(bundle: Path, out: Path) -> npt.NDArray[np.floating]:
    """Return what the network itself said: what calibration does to MAP@20 is measured apart."""
    calibration = uncertainty_from_tensors(load_bundle(bundle).novelty).calibration
    return calibration.undo(_vectors(out)) if calibration else _vectors(out)


def _vectors(path: Path) -> npt.NDArray[np.float32]:
    column = pq.read_table(path, columns=["vector"])["vector"].combine_chunks()
    flat: npt.NDArray[np.float32] = column.flatten().to_numpy()
    return flat.reshape(len(column), -1)
