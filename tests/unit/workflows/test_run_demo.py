"""What the demo says of its names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.evaluation.evaluation_results import EvaluatedImage, Evaluation
from finding_nemo.workflows.run_demo import NamedFrames, named_frames

_TABLE = CategoryTable((Category(1, "Hake", "Fish"), Category(4, "Hagfish", "Eel")))


class Judged:
    """An evaluation of these images; nothing else of it is looked at."""

    def __init__(self, *images: Any) -> None:
        self.images = images


class Frame:
    """A judged frame."""

    def __init__(self, label: str, true_ids: tuple[int, ...], failure: str | None = None) -> None:
        self.label, self.true_ids, self.failure = label, true_ids, failure


def named(*frames: Frame) -> NamedFrames:
    return named_frames(cast(Evaluation, Judged(*cast(tuple[EvaluatedImage, ...], frames))), _TABLE)


def test_named__counts_categories_and_groups_of_readable_frames() -> None:
    found = named(
        Frame("Hake", (1, 4)),  # right
        Frame("Eel", (4,)),  # right: its group
        Frame("Fish", (4,)),  # wrong
        Frame("Hagfish", ()),  # wrong: nothing is there
        Frame("", (1,)),  # no name
        Frame("", (), "truncated"),  # not readable
    )
    assert found == NamedFrames(5, 4, 2)
    assert found.in_words == (
        "4 of 5 test frames are given a name (an animal or its group), and 2 of these names (50 %) "
        "are right; of the rest the report shows the best guesses"
    )


def test_named__none_and_no_frame() -> None:
    none = named(Frame("", (1,)))
    assert none.in_words == ("0 of 1 test frames are given a name: no name is right often enough")
    assert replace(none, n_readable=0).in_words == "no test frame could be read"
