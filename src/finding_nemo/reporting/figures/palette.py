"""The colours of pages and figures, told apart by colour-blind eyes too."""

from __future__ import annotations

MODEL = "#0b6fa4"
PRIOR = "#8a939c"
TIME_COPY = "#d9822b"
GOOD = "#1a7f5a"
BAD = "#b3432b"
INK = "#14202b"
FAINT = "#d8e0e7"

# Okabe and Ito's palette, in an order that starts with ours.
SERIES = (
    MODEL,
    TIME_COPY,
    GOOD,
    "#8e5aa8",
    "#c2557a",
    "#5aa9d6",
    "#8f7a1f",
    BAD,
    PRIOR,
)
