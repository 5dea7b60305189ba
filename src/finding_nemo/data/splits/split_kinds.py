"""The ways to split a data set, in one table that loads no library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from finding_nemo.core.names.registries import registry


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitKind:
    """One way to split.

    Attributes:
        name: As given to `--by`.
        about: One line for people.
        function: "module:function"; it takes the data set and, by keyword, `fraction`,
            `val_fraction`, `folds` and `seed`, and returns a `Split`.
        takes_categories: Whether the function also takes `categories`, which are held out.
        seed: The seed where a person names none.
    """

    name: str
    about: str
    function: str
    takes_categories: bool = False
    seed: int = 0


SPLITS: Mapping[str, SplitKind] = registry(
    SplitKind(
        name="dive",
        about="no dive in two parts, the honest one",
        function="finding_nemo.data.splits.splitters.by_dive:split_by_dive",
    ),
    SplitKind(
        name="video",
        about="no clip in two parts",
        function="finding_nemo.data.splits.splitters.by_video:split_by_video",
    ),
    SplitKind(
        name="random",
        about="frames at random, which leaks, as the course study did",
        function="finding_nemo.data.splits.splitters.by_frame:split_at_random",
        seed=42,  # the study's: `--by random` is its very protocol
    ),
    SplitKind(
        name="time",
        about="training on earlier dives than testing",
        function="finding_nemo.data.splits.splitters.by_time:split_by_time",
    ),
    SplitKind(
        name="novel",
        about="categories held out of training with their dives",
        function="finding_nemo.data.splits.splitters.by_category:split_by_novelty",
        takes_categories=True,
    ),
)

# Those that compare recipes: each gives one split of one data set.
PROTOCOLS: Mapping[str, SplitKind] = registry(
    *(kind for kind in SPLITS.values() if not kind.takes_categories)
)
