"""What `--try` says, and what it must not say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finding_nemo.core.errors import SettingsError
from finding_nemo.training.recipes.registry import RECIPES, find_recipe
from finding_nemo.training.recipes.search_space import OneOf, Span, search_space

PROBE = find_recipe("probe")


def test_words__are_spans_and_choices() -> None:
    space = search_space(
        PROBE,
        ["dropout=0.3..0.8", "learning_rate=1e-4..1e-2:log", "epochs=5..9", "optimizer=sgd,adam"],
    )
    assert space == {
        "dropout": Span(0.3, 0.8, log=False, is_integer=False),
        "learning_rate": Span(1e-4, 1e-2, log=True, is_integer=False),
        "epochs": Span(5, 9, log=False, is_integer=True),
        "optimizer": OneOf(("sgd", "adam")),
    }


@pytest.mark.parametrize("name", [name for name in RECIPES if name not in ("prior", "time-copy")])
def test_usual_space__fits_its_recipe(name: str) -> None:
    assert search_space(find_recipe(name))


def test_baselines__have_nothing_to_search() -> None:
    with pytest.raises(SettingsError, match="prior has no settings"):
        search_space(find_recipe("prior"))


def test_wrong_words__all_in_one_message() -> None:
    with pytest.raises(SettingsError) as error:
        search_space(PROBE, ["dropout=0.8..0.3", "learning_rate=0..1:log", "epochs=5..9:cube"])
    for part in ("dropout: '0.8..0.3' does not rise", "from above 0", "only :log is known"):
        assert part in str(error.value)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("dropout=0.5..1.5", "less than 1"),
        ("dropuot=0.1..0.5", "did you mean 'dropout'"),
        ("optimizer=adam,madam,sgd", "madam"),
        ("dropout", "not of the form key=value"),
    ],
)
def test_bounds_that_the_recipe_refuses__before_any_training(word: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        search_space(PROBE, [word])


@given(st.floats(1e-6, 0.4), st.floats(0.41, 0.9))
def test_any_span__comes_back(low: float, high: float) -> None:
    assert search_space(PROBE, [f"dropout={low!r}..{high!r}"]) == {
        "dropout": Span(low, high, log=False, is_integer=False)
    }


def test_bounds__are_checked_beside_what_all_trials_have() -> None:
    nemo = find_recipe("nemo")
    with pytest.raises(SettingsError, match="set both or neither"):
        search_space(nemo, ["width_px=480,640"])
    assert search_space(nemo, ["width_px=480,640"], common={"height_px": 352})


def test_choices__are_read_as_set_reads_them() -> None:
    space = search_space(find_recipe("resnet18"), ["normalise=true", "pretrained=true, false"])
    assert space == {"normalise": OneOf((True,)), "pretrained": OneOf((True, False))}
