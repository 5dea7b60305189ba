"""Names and wanted sizes of the parts of a split."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from finding_nemo.core.errors import SettingsError


def named_shares(
    *, fraction: float, val_fraction: float, folds: int | None
) -> tuple[tuple[str, ...], npt.NDArray[np.float64]]:
    """Return the parts with the share of images that each should hold.

    Args:
        fraction: Share held out as `test`, in (0, 1).
        val_fraction: Share held out as `val`, in [0, 1); no such part where it is 0.
        folds: If given, that many equal folds instead.

    Raises:
        SettingsError: If a share is out of range, or there are fewer than two folds.
    """
    if folds is not None:
        if folds < 2:
            raise SettingsError(f"--folds must be at least 2, got {folds}.")
        return tuple(f"fold{i}" for i in range(folds)), np.full(folds, 1 / folds)
    if not (0 < fraction < 1 and 0 <= val_fraction < 1 and fraction + val_fraction < 1):
        raise SettingsError(
            f"--fraction (test) must lie between 0 and 1 and leave room for training beside "
            f"--val-fraction; got {fraction} and {val_fraction}."
        )
    if val_fraction == 0:
        return ("train", "test"), np.array([1 - fraction, fraction])
    train = 1 - fraction - val_fraction
    return ("train", "val", "test"), np.array([train, val_fraction, fraction])
