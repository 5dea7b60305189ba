"""What the demo says of its sure answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from finding_nemo.core.reporter import Reporter
from finding_nemo.evaluation.evaluate_answers import AnswerScore
from finding_nemo.workflows import run_demo as run_demo_file
from finding_nemo.workflows.run_demo import run_demo, sure_in_words


def score(word: str, n_images: int, n_right: int) -> AnswerScore:
    share = n_right / n_images if n_images else float("nan")
    return AnswerScore(
        word=word, n_images=n_images, n_right=n_right, share_right=share, low=share, high=share
    )


def test_sure__says_how_many_and_how_many_are_right() -> None:
    found = sure_in_words(
        [score("sure", 1200, 1100), score("likely", 300, 200), score("guess", 9, 1)]
    )
    assert found == (
        "1,200 of 1,509 readable test frames have a sure answer (an animal or its group), and "
        "1,100 of these (92%) are right; for the rest it says what is likely, or a guess"
    )


def test_sure__none_and_no_frame() -> None:
    none = [score("sure", 0, 0), score("guess", 4, 1)]
    assert sure_in_words(none) == (
        "0 of 4 readable test frames have a sure answer: no name is right often enough"
    )
    assert sure_in_words([]) == "no test frame could be read"


@pytest.mark.parametrize(("n_cores", "n_workers"), [(1, 1), (3, 3), (64, 8)])
def test_drawing__takes_the_cores_that_it_may_use(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, n_cores: int, n_workers: int
) -> None:
    class EndedError(Exception):
        pass

    asked: dict[str, Any] = {}

    def drawn(_: Path, **choices: Any) -> Path:
        asked.update(choices)
        raise EndedError

    monkeypatch.setattr(run_demo_file, "usable_cores", lambda: n_cores)
    monkeypatch.setattr(run_demo_file, "draw_dataset", drawn)
    with pytest.raises(EndedError):
        run_demo(tmp_path / "demo", images=40, seed=0, overwrite=False, reporter=Reporter())
    assert asked["workers"] == n_workers
