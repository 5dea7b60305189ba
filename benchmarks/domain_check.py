"""How often the domain check warns: of each dive alone, and of whole files.

`python benchmarks/domain_check.py PREDICTIONS... [--dataset DATASET]`; the data set says the dives
of files of earlier versions, which have none. On dives of the bundle's own world every warning is
a false alarm; on frames from elsewhere every silence is a miss.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
from timing import table

from finding_nemo.data.dataset import read_dataset
from finding_nemo.results.reading.readers import read_predictions
from finding_nemo.uncertainty.domain_check import LEAST_FRAMES, DomainCheck, DomainCounter


def judge(percentiles: np.ndarray, dives: list[str]) -> DomainCheck | None:
    counter = DomainCounter()
    counter.add(percentiles, dives)
    return counter.verdict()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("predictions", nargs="+", type=Path)
    parser.add_argument("--dataset", type=Path)
    options = parser.parse_args()
    records = read_dataset(options.dataset).by_id if options.dataset else {}
    rows = []
    for path in options.predictions:
        found = read_predictions(path)
        if found.assessment is None:
            raise SystemExit(f"{path} holds no novelty percentiles.")
        percentiles = found.assessment.novelty_percentile
        told = found.dives or [
            records[name].dive if name in records else None for name in found.image_ids
        ]
        dives = [dive or "" for dive in told]
        of_dive = defaultdict(list)
        for percentile, dive in zip(percentiles.tolist(), dives, strict=True):
            of_dive[dive].append(percentile)
        long_enough = [p for p in of_dive.values() if len(p) >= LEAST_FRAMES]
        alone = [judge(np.array(p), [""] * len(p)) for p in long_enough]
        shares = sorted(check.share_far_out for check in alone if check is not None)
        whole = judge(percentiles, dives)
        rows.append(
            (
                path.name,
                len(percentiles),
                len(long_enough),
                sum(check is not None and check.verdict == "foreign" for check in alone),
                f"{100 * shares[-1]:.0f} %" if shares else "-",
                "-" if whole is None else f"{100 * whole.share_far_out:.1f} %",
                "-" if whole is None else whole.verdict,
            )
        )
    header = ("file", "frames", f"dives of {LEAST_FRAMES} or more", "foreign alone")
    print(table([*header, "most far out of one", "far out of all", "verdict"], rows))


if __name__ == "__main__":
    main()
