"""Draw the curve of README.md from the figures of experiment 0040.

    python tests/review_curve_picture.py

Reads docs/pictures/review_curve.csv and writes docs/pictures/review_curve.png.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from finding_nemo.adaptation.curve_of_reviews import CurvePoint, ReviewCurve
from finding_nemo.reporting.figures.review_curve_figure import draw_review_curve

FOLDER = Path(__file__).resolve().parents[1] / "docs/pictures"


def read_curve(path: Path) -> ReviewCurve:
    """Return the curve of a table with the columns way, frames and map_at_20."""
    with path.open(encoding="utf-8") as stream:
        return ReviewCurve(
            tuple(
                CurvePoint(
                    way=row["way"],
                    n_reviewed=int(row["frames"]),
                    ap=np.array([float(row["map_at_20"])]),
                    dives=("all",),
                    macro_ap=float("nan"),
                )
                for row in csv.DictReader(stream)
            )
        )


if __name__ == "__main__":
    draw_review_curve(read_curve(FOLDER / "review_curve.csv"), FOLDER / "review_curve.png")
