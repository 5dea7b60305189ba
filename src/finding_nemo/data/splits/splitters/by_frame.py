"""The course study's protocol: frames at random, so that neighbours sit on both sides."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from finding_nemo.core.errors import SplitError
from finding_nemo.core.records import Dataset, Split, SplitRow
from finding_nemo.data.splits.splitters.val_shares import named_shares

LEAKAGE_NOTICE = (
    "A random split puts frames of one dive, often seconds apart, on both sides: its score "
    "measures memory of a dive more than sight. Use it only to compare with the course study."
)


def split_at_random(
    dataset: Dataset,
    *,
    fraction: float = 0.2,
    val_fraction: float = 0.1,
    folds: int | None = None,
    seed: int = 42,
) -> Split:
    """Divide the annotated images at random.

    With seed 42, `fraction` 0.2 and `val_fraction` 0 these are the study's 80/20 parts to the
    image: the last fifth of torch's `randperm(n)` over the order of `train.csv`. A validation
    part is taken from the training part and leaves the test part as it is.

    Raises:
        SplitError: If there are fewer images than parts.
        SettingsError: If the shares are out of range.
    """
    records = dataset.annotated
    names, _ = named_shares(fraction=fraction, val_fraction=val_fraction, folds=folds)
    if len(records) < len(names):
        raise SplitError(f"{len(records)} images cannot fill {len(names)} parts.")
    order = torch_permutation(len(records), seed)
    parts = np.empty(len(records), dtype=object)
    if folds is not None:
        for part, chunk in zip(names, np.array_split(order, folds), strict=True):
            parts[chunk] = part
    else:
        n_train = int((1 - fraction) * len(records))
        n_val = round(val_fraction * len(records))
        parts[order[: n_train - n_val]] = "train"
        parts[order[n_train - n_val : n_train]] = "val"
        parts[order[n_train:]] = "test"
    return Split(
        rows=tuple(
            SplitRow(record.image_id, record.dive or "", str(part))
            for record, part in zip(records, parts, strict=True)
        ),
        kind="random",
        seed=seed,
        notices=(LEAKAGE_NOTICE,),
    )


def torch_permutation(n: int, seed: int) -> npt.NDArray[np.int64]:
    """Return what `torch.manual_seed(seed); torch.randperm(n)` gives, without torch.

    Both draw 32 bits at a time from a Mersenne Twister seeded alike, and shuffle by Fisher and
    Yates with the remainder of each draw.
    """
    draws = np.random.RandomState(seed).randint(0, 2**32, size=max(n - 1, 0), dtype=np.uint32)
    order = np.arange(n, dtype=np.int64)
    for i, draw in enumerate(draws.tolist()):
        j = i + draw % (n - i)
        order[i], order[j] = order[j], order[i]
    return order
