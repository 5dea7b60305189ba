"""Whether a picture that is kept is the one that was just drawn: python same_picture.py KEPT DRAWN.

Equal to the pixel where the same libraries drew both on the same kind of processor. Elsewhere text
is drawn a little otherwise and a probability may differ in its last digit, so as much is allowed:
both pictures have one size, and averaged over squares of 16 x 16 px they are on average no more
than 0.5 of 255 grey levels apart. All text a pixel further to the right makes 0.3, another frame in
one of three places 0.8 to 9.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

_SQUARE_PX = 16
_MOST_LEVELS = 0.5


def difference(kept: npt.NDArray[np.uint8], drawn: npt.NDArray[np.uint8]) -> float:
    """Return how many grey levels two pictures of one size are apart, averaged over squares."""
    height, width = (side // _SQUARE_PX for side in kept.shape[:2])
    apart = kept.astype(np.float64) - drawn
    whole = apart[: height * _SQUARE_PX, : width * _SQUARE_PX]
    squares = whole.reshape(height, _SQUARE_PX, width, _SQUARE_PX, -1).mean(axis=(1, 3))
    return float(np.abs(squares).mean())


def compare(kept: Path, drawn: Path) -> str | None:
    """Return what is wrong with the kept picture, `None` if it is the drawn one."""
    first, second = (np.asarray(Image.open(path).convert("RGB")) for path in (kept, drawn))
    if first.shape != second.shape:
        return f"{kept} is {first.shape[1::-1]} px, {drawn} is {second.shape[1::-1]} px"
    if np.array_equal(first, second):
        return None
    levels = difference(first, second)
    if levels <= _MOST_LEVELS:
        sys.stdout.write(f"{kept} and {drawn} are {levels:.2f} grey levels apart, which is near.\n")
        return None
    return f"{kept} and {drawn} are {levels:.2f} grey levels apart"


if __name__ == "__main__":
    wrong = compare(Path(sys.argv[1]), Path(sys.argv[2]))
    sys.exit(f"{wrong}: look at both, and keep the new one with make pictures." if wrong else 0)
