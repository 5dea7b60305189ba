"""How often an answer is right, word by word."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.records import Dataset, ImageRecord
from finding_nemo.evaluation.evaluate_answers import (
    answers_in_words,
    evaluate_answers,
    unknown_taxa_notice,
)
from finding_nemo.evaluation.evaluation_set import EvaluationSet, align_with_truth
from finding_nemo.marine.taxa_file import read_taxa
from finding_nemo.results.reading.answer_columns import AnswerColumns
from finding_nemo.results.schema import PredictionTable

_TABLE = CategoryTable(
    (Category(1, "Hake", "Fish"), Category(4, "Hagfish", "Eel"), Category(7, "Crab", ""))
)
# Of each image: truth, answer, its word, its dive.
_ROWS: tuple[tuple[tuple[int, ...], str | None, str | None, str], ...] = (
    ((1, 4), "Hake", "sure", "d1"),
    ((4,), "Eel", "sure", "d1"),  # right: its group
    ((4,), "Fish", "sure", "d2"),  # wrong
    ((), "Hagfish", "likely", "d2"),  # wrong: nothing is there
    ((7,), None, None, "d2"),  # could not be read
    ((7,), "Crab", "guess", "d3"),
)


def laid_out() -> tuple[EvaluationSet, PredictionTable]:
    names = [f"f{number}" for number in range(len(_ROWS))]
    records = tuple(
        ImageRecord(image_id=name, path=Path(f"{name}.png"), category_ids=truth, dive=dive)
        for name, (truth, _, _, dive) in zip(names, _ROWS, strict=True)
    )
    n = len(_ROWS)
    table = PredictionTable(
        image_ids=tuple(names),
        paths=tuple(names),
        widths=(4,) * n,
        heights=(4,) * n,
        failures=tuple(None if text else "truncated" for _, text, _, _ in _ROWS),
        ranked_ids=((1, 4, 7),) * n,
        ranked_probabilities=((0.5, 0.3, 0.1),) * n,
        novelty=np.zeros(n),
        vector=None,
        category_ids=(),
        metadata={},
        answers=AnswerColumns(
            texts=tuple(text for _, text, _, _ in _ROWS),
            levels=("category",) * n,
            confidences=tuple(word for _, _, word, _ in _ROWS),
            probabilities=np.full(n, 0.5),
            reasons=("",) * n,
            look_first=(None,) * n,
        ),
    )
    dataset = Dataset(Path(), _TABLE, records)
    return align_with_truth(table, dataset, split=None, part=None), table


def test_answers__counted_by_word_with_groups_right_and_failures_left_out() -> None:
    sure, likely, guess = evaluate_answers(*laid_out())
    assert (sure.word, sure.n_images, sure.n_right) == ("sure", 3, 2)
    assert math.isclose(sure.share_right, 2 / 3)
    # Two dives: both right, and wrong. Drawn twice each way, the mean is 0 to 1.
    assert (sure.low, sure.high) == (0.0, 1.0)
    assert (likely.n_images, likely.n_right, likely.share_right) == (1, 0, 0.0)
    assert (guess.n_images, guess.n_right) == (1, 1)
    assert math.isnan(guess.low)  # one dive says nothing of others
    assert math.isnan(guess.high)


def test_answers__in_words() -> None:
    scores = evaluate_answers(*laid_out())
    assert answers_in_words(scores) == (
        "answers: sure 60%, of these 67% right (0% to 100%); likely 20%, of these 0% right "
        "(too few dives for an interval); guess 20%, of these 100% right (too few dives for an "
        "interval)"
    )
    assert answers_in_words(()) == "answers: none"


def test_answers__of_a_file_without_them_are_none() -> None:
    laid, table = laid_out()
    without = PredictionTable(
        **{name: getattr(table, name) for name in table.__dataclass_fields__ if name != "answers"}
    )
    assert evaluate_answers(laid, without) == ()


def test_a_taxon__is_right_where_a_category_of_it_is_there_and_only_as_an_answer_by_rank() -> None:
    table = CategoryTable((Category(1, "Munida", "Squat lobster"), Category(2, "Munididae", "")))
    right = {}
    for level in ("family", "category"):
        records = (ImageRecord(image_id="f", path=Path("f.png"), category_ids=(1,), dive="d"),)
        predictions = PredictionTable(
            image_ids=("f",),
            paths=("f",),
            widths=(4,),
            heights=(4,),
            failures=(None,),
            ranked_ids=((1, 2),),
            ranked_probabilities=((0.5, 0.3),),
            novelty=np.zeros(1),
            vector=None,
            category_ids=(),
            metadata={},
            answers=AnswerColumns(
                texts=("Munididae",),
                levels=(level,),
                confidences=("sure",),
                probabilities=np.full(1, 0.9),
                reasons=("",),
                look_first=(None,),
            ),
        )
        dataset = Dataset(Path(), table, records)
        evaluation_set = align_with_truth(predictions, dataset, split=None, part=None)
        right[level] = evaluate_answers(evaluation_set, predictions)[0].n_right
    assert right == {"family": 1, "category": 0}


def test_answers_by_rank__are_judged_by_the_tree_they_were_made_with(tmp_path: Path) -> None:
    path = tmp_path / "taxa.csv"
    path.write_text(
        "name,rank,parent\nSwimmers,class,\nHake,species,Swimmers\nHagfish,species,Swimmers\n"
    )
    taxa = read_taxa(path)
    judged, table = laid_out()
    assert table.answers is not None
    # The second frame holds a hagfish, the third too, the fourth nothing.
    answers = replace(
        table.answers,
        texts=("Hake", "Swimmers", "Swimmers", "Swimmers", None, "Crab"),
        levels=("category", "class", "class", "class", None, "category"),
    )
    table = replace(table, answers=answers)
    sure, likely, _ = evaluate_answers(judged, table, taxa=taxa)
    assert (sure.n_right, likely.n_right) == (3, 0)
    assert unknown_taxa_notice(judged, table, taxa=taxa) == ""
    sure, likely, _ = evaluate_answers(judged, table)
    assert (sure.n_right, likely.n_right) == (1, 0)
    assert unknown_taxa_notice(judged, table).startswith("3 answers are taxa that hold none")
    assert unknown_taxa_notice(judged, replace(table, answers=None)) == ""
