"""A comparison goes on only as itself, and says what differs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from finding_nemo import split_by_dive
from finding_nemo.core.errors import OutputExistsError, SettingsError
from finding_nemo.core.records import Dataset, Split
from finding_nemo.core.reporter import Reporter
from finding_nemo.workflows.comparison_request import (
    REQUEST,
    SECONDS,
    ComparisonRequest,
    comparison_request,
    fold_numbers,
    is_compared,
)


def asked(out: Path, split: Split, recipes: tuple[str, ...] = ("prior",)) -> ComparisonRequest:
    return comparison_request(out=out, recipes=recipes, splits={"dive": split}, settings={}, seed=0)


def check(request: ComparisonRequest, *, resume: bool = False, overwrite: bool = False) -> str:
    """Return "goes on" or "begins", with what was told."""
    told: list[str] = []
    goes_on = request.check(overwrite=overwrite, resume=resume, reporter=Reporter(told.append))
    return " ".join(["goes on" if goes_on else "begins", *told])


def test_resume__without_a_comparison_says_so(tmp_path: Path, split: Split) -> None:
    request = asked(tmp_path / "c", split)
    assert check(request) == "begins"
    assert check(request, resume=True).endswith("holds nothing to resume: beginning.")
    assert not (tmp_path / "c").exists()


def test_same__goes_on_with_resume_or_without(tmp_path: Path, split: Split) -> None:
    request = asked(tmp_path / "c", split)
    request.begin(overwrite=False)
    for resume in (False, True):
        assert check(request, resume=resume).startswith("goes on Going on with the comparison in")
    assert check(request, overwrite=True) == "begins"


def test_other__is_refused_with_what_differs(
    tmp_path: Path, dataset: Dataset, split: Split
) -> None:
    out = tmp_path / "c"
    asked(out, split).begin(overwrite=False)
    other = replace(
        asked(out, split_by_dive(dataset, val_fraction=0.3, seed=1), ("prior", "probe")),
        seed=3,
        settings={"epochs": 2},
    )
    with pytest.raises(OutputExistsError) as told:
        check(other, resume=True)
    for words in (
        "recipes prior there, prior,probe here",
        "seed 0 there, 3 here",
        'settings none there, {"epochs": 2} here',
        "the split dive is of other images or parts",
        "or add --overwrite",
    ):
        assert words in str(told.value)
    protocols = replace(asked(out, split), splits={"video": split})
    with pytest.raises(OutputExistsError, match="protocols dive there, video here"):
        check(protocols)


@pytest.mark.parametrize("text", ["", "[]", '{"recipes": 3}', "{"])
def test_damaged__is_refused(tmp_path: Path, split: Split, text: str) -> None:
    request = asked(tmp_path / "c", split)
    request.begin(overwrite=False)
    (tmp_path / "c" / REQUEST).write_text(text)
    with pytest.raises(OutputExistsError, match="cannot be read"):
        check(request)


def test_settings__of_no_recipe_are_refused(tmp_path: Path, split: Split) -> None:
    with pytest.raises(SettingsError, match="None of prior has the setting epochs"):
        comparison_request(
            out=tmp_path, recipes=["prior"], splits={"d": split}, settings={"epochs": 1}, seed=0
        )


def test_trainings__one_a_fold_in_folders_of_their_own(tmp_path: Path, dataset: Dataset) -> None:
    folds = split_by_dive(dataset, folds=3, seed=0)
    assert fold_numbers(folds) == [0, 1, 2]
    found = list(asked(tmp_path, folds, ("prior", "probe")).trainings())
    assert [(recipe, fold) for recipe, _, fold, _ in found] == [
        (recipe, fold) for recipe in ("prior", "probe") for fold in (0, 1, 2)
    ]
    folders = [folder for *_, folder in found]
    assert folders[4] == tmp_path / "runs/dive/probe/fold1"
    assert not is_compared(folders[4])
    folders[4].mkdir(parents=True)
    (folders[4] / SECONDS).touch()
    assert is_compared(folders[4])
