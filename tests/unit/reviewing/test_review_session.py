"""A session: reviews in, better answers out; lists, suggestions, quality, undo, faults."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from finding_nemo.adaptation.adapt_predictions import adapt_predictions
from finding_nemo.adaptation.adaptation_settings import DEFAULTS
from finding_nemo.adaptation.files.review_state import read_review_state
from finding_nemo.adaptation.shrunk_settings import settings_to_json
from finding_nemo.adaptation.suggest_frames import suggest_frames
from finding_nemo.core.errors import FrameFailedError, NoSuchFrameError, ReviewsError
from finding_nemo.core.reporter import ProgressCallback, Reporter
from finding_nemo.results.file_metadata import metadata_of, open_parquet, to_file_metadata
from finding_nemo.reviewing.adapting.current_answers import FrameFilter
from finding_nemo.reviewing.open_review_session import open_review_session
from finding_nemo.reviewing.review_exports import reviews_table
from finding_nemo.reviewing.review_session import ReviewSession

Open = Callable[..., ReviewSession]
FAILED = 23  # of `reviewable`: the last frame of its first dive


@pytest.fixture
def opened(reviewable: Path, tmp_path: Path) -> Iterator[Open]:
    sessions: list[ReviewSession] = []

    def open_one(name: str = "fold0.parquet", **options: object) -> ReviewSession:
        for session in sessions:
            session.close()
        sessions.append(
            open_review_session(
                reviewable / name,
                **{"store": tmp_path / "x.sqlite", "reviewer": "anna", **options},  # type: ignore[arg-type]
            )
        )
        return sessions[-1]

    yield open_one
    for session in sessions:
        session.close()


def test_session__names_the_rest_of_the_dive_and_leaves_the_other(opened: Open) -> None:
    session = opened()
    dives = session.dives()
    assert [(d.n_frames, d.n_readable, d.n_reviewed) for d in dives.dives] == [
        (24, 23, 0),
        (24, 24, 0),
    ]
    assert (dives.n_frames, dives.n_reviewed, dives.n_failed, dives.overall) == (48, 0, 1, None)
    others = session.frames(FrameFilter(dive=dives.dives[1].name)).frames
    done = session.review(2, [3])
    assert (done.review.number, done.review.row, done.review.reviewer) == (1, 2, "anna")
    assert [(c.id, c.name) for c in done.review.categories] == [(3, "squid")]
    assert done.changed > 0
    assert (done.dive.n_reviewed, done.new_categories) == (1, [])
    assert done.overall == done.dive.quality
    row = session.frame(2)
    assert (row.answer, row.confidence, row.probability, row.state) == (
        "squid",
        "sure",
        1.0,
        "reviewed",
    )
    assert (row.method, row.guesses[0].probability, row.why) == (
        "human",
        1.0,
        "A person looked at this frame.",
    )
    beside = session.frame(3)
    assert (beside.guesses[0].name, beside.method) == ("squid", "propagated")
    assert beside.state == "unreviewed"
    assert beside.propagated_from is not None
    assert beside.propagated_from.row == 2
    assert beside.model_guesses != beside.guesses
    assert session.frames(FrameFilter(dive=dives.dives[1].name)).frames == others
    assert session.frame(FAILED).failure == "is empty (0 bytes)"
    assert session.frame(FAILED).guesses == []


def test_new_name__is_found_in_the_rest_at_once_and_gone_when_taken_back(opened: Open) -> None:
    session = opened()
    before = session.frames().frames
    done = session.review(5, ["Aeolidia papillosa", 1])
    assert [(c.id, c.name) for c in done.new_categories] == [(4, "Aeolidia papillosa")]
    assert any(g.name == "Aeolidia papillosa" for g in session.frame(6).guesses[:2])
    again = session.review(6, ["AEOLIDIA PAPILLOSA"])
    assert (again.new_categories, again.review.categories[0].id) == ([], 4)
    session.undo()
    undone = session.undo()
    assert undone.undone is not None
    assert (undone.undone.number, undone.now) == (1, None)
    assert undone.dive is not None
    assert (undone.dive.n_reviewed, undone.dive.quality) == (0, None)
    assert session.frames().frames == before
    assert [entry["name"] for entry in session.categories] == ["crab", "fish", "squid"]
    assert session.undo().undone is None


def test_review_changed_again__the_latest_stands(opened: Open) -> None:
    session = opened()
    session.review(5, [1])
    session.review(5, [2], reviewer="ben")
    assert session.frame(5).answer == "fish"
    assert [(r.number, r.reviewer) for r in session.reviews()] == [(2, "ben")]
    now = session.undo("ben").now
    assert now is not None
    assert now.number == 1
    assert session.frame(5).answer == "crab"


def test_nothing_there__is_a_complete_review_of_nothing(opened: Open) -> None:
    session = opened()
    session.review(5, [])
    row = session.frame(5)
    assert (row.answer, row.probability, row.confidence) == ("", None, "sure")
    assert row.why == "A person looked at this frame and saw nothing in it."
    assert [animal.n_frames for animal in session.animals()] != []
    assert 5 not in {f.row for f in session.frames(FrameFilter(category=1)).frames}


def test_partial_review__says_nothing_of_what_was_not_looked_for(opened: Open) -> None:
    session = opened()
    session.review(5, [1], rejected=[2], is_complete=False)
    guesses = {g.id: g.probability for g in session.frame(5).guesses}
    assert (guesses[1], guesses[2]) == (1.0, 0.0)
    assert 0 < guesses[3] < 1
    row = session.frame(5)
    assert (row.state, row.method) == ("reviewed", "propagated")
    session.review(5, [], rejected=["never seen"], is_complete=False)
    assert session.frame(5).review is not None


def test_session_opened_again__is_the_same(opened: Open) -> None:
    session = opened()
    for row, categories in ((2, [3]), (7, ["new"]), (30, [1, 2]), (7, ["other"])):
        session.review(row, categories)
    session.undo()
    frames, dives = session.frames().frames, session.dives()
    again = opened()
    # Products of one column and of several round otherwise.
    for now, before in zip(again.frames().frames, frames, strict=True):
        assert replace(now, probability=None) == replace(before, probability=None)
        if before.probability is not None:
            assert now.probability == pytest.approx(before.probability, abs=1e-5)
    assert [d.n_reviewed for d in again.dives().dives] == [d.n_reviewed for d in dives.dives]
    assert [c["category_id"] for c in again.categories] == [1, 2, 3, 4]
    # The id of the name that was taken back is not used again.
    assert again.review(8, ["third"]).new_categories[0].id == 6


def test_suggestions_and_quality_are_those_of_the_verb(
    opened: Open, reviewable: Path, tmp_path: Path
) -> None:
    session = opened()
    name = str(session.dives().dives[0].name)
    table = tmp_path / "reviews.csv"
    for step in range(4):
        state = read_review_state(
            reviewable / "fold0.parquet", reviews=table if table.exists() else None
        )
        wanted = suggest_frames(state, per_dive=3)
        found = session.suggest(name, count=3)
        expected = [(s.image_id, s.why) for s in wanted.rows if s.dive == name]
        assert [(s.id, s.why) for s in found] == expected
        assert [s.rank for s in found] == [1, 2, 3]
        assert session.frame(found[0].row).suggested_why == found[0].why
        overall = session.dives().overall
        if wanted.quality is not None and overall is not None:
            assert overall.value == pytest.approx(wanted.quality.map_at_20, abs=1e-5)
            assert overall.low == pytest.approx(wanted.quality.interval.low, abs=1e-4)
            assert [t.more_frames for t in overall.to_reach] == list(wanted.more_frames.values())
        session.review(found[0].row, [1 + step % 3])
        table.write_text(reviews_table(session))
    assert session.dives().overall is not None


def test_numbers_that_the_predictions_bring__are_those_of_the_page(
    opened: Open, reviewable: Path, tmp_path: Path
) -> None:
    """As `adapt` takes them: the page and the file that it exports say the same."""
    own = replace(DEFAULTS, kernel=replace(DEFAULTS.kernel, base_share=0.4))
    table = pq.read_table(reviewable / "fold0.parquet")
    file = open_parquet(reviewable / "fold0.parquet")
    metadata = metadata_of(file, reviewable) | {"adaptation_settings": settings_to_json(own)}
    path = tmp_path / "own.parquet"
    pq.write_table(table.replace_schema_metadata(to_file_metadata(metadata)), path)
    usual = opened()
    usual.review(0, [1])
    of_usual = usual.frame(1).guesses
    session = opened(str(path), store=tmp_path / "own.sqlite")
    session.review(0, [1])
    reviews = tmp_path / "reviews.csv"
    reviews.write_text(reviews_table(session))
    adapt_predictions(
        read_review_state(path, reviews=reviews), tmp_path / "adapted.parquet", reviews=reviews
    )
    expected = pq.read_table(tmp_path / "adapted.parquet").slice(1, 1).to_pylist()[0]
    guesses = session.frame(1).guesses
    assert [guess.id for guess in guesses] == expected["categories"]
    found = [guess.probability for guess in guesses]
    assert found == pytest.approx(expected["probabilities"], abs=1e-5)
    assert found != pytest.approx([guess.probability for guess in of_usual], abs=1e-3)


def test_suggestions__pass_over_what_is_not_wanted_and_spread_over_dives(opened: Open) -> None:
    session = opened()
    first = session.suggest(count=1)[0]
    assert first.row not in [s.row for s in session.suggest(count=5, skip=[first.row])]
    every = session.suggest(count=200)
    assert len(every) == len({s.row for s in every}) == 47
    assert FAILED not in {s.row for s in every}
    assert len({s.dive for s in session.suggest(count=2)}) == 2
    session.review(first.row, [1])
    other = session.suggest(count=1)[0]
    assert other.dive != first.dive


def test_lists__are_filtered_ordered_and_cut(opened: Open, reviewable: Path) -> None:
    session = opened()
    session.review(2, [3])
    session.review(40, [1])
    every = session.frames(limit=500).frames
    assert [f.row for f in every] == list(range(48))
    assert [f.row for f in session.frames(FrameFilter(state="reviewed")).frames] == [2, 40]
    assert [f.row for f in session.frames(FrameFilter(state="failed")).frames] == [FAILED]
    assert session.frames(FrameFilter(state="unreviewed")).total == 45
    page = session.frames(offset=46, limit=10)
    assert (page.total, [f.row for f in page.frames]) == (48, [46, 47])
    unsure = session.frames(order="unsure", limit=500).frames
    known = [f.probability for f in unsure if f.probability is not None]
    assert known == sorted(known)
    assert unsure[-1].row == FAILED
    # No file of before says how unusual a frame is: nothing is above any bar.
    assert session.frames(FrameFilter(unusual_from=0.1)).total == 0
    worth = session.frames(order="review", limit=500).frames
    assert {f.row for f in worth[-3:]} == {2, 40, FAILED}
    counts = {animal.id: animal.n_frames for animal in session.animals()}
    for number, count in counts.items():
        assert session.frames(FrameFilter(category=number)).total == count
    assert sum(counts.values()) == 47
    assert sum(animal.n_reviewed for animal in session.animals()) == 2


def test_faults__leave_nothing_behind(opened: Open) -> None:
    session = opened()
    with pytest.raises(FrameFailedError, match="is empty"):
        session.review(FAILED, [1])
    for row in (-1, 48):
        with pytest.raises(NoSuchFrameError, match="48"):
            session.review(row, [1])
        with pytest.raises(NoSuchFrameError):
            session.frame(row)
    with pytest.raises(NoSuchFrameError, match="no dive"):
        session.frames(FrameFilter(dive="nowhere"))
    with pytest.raises(NoSuchFrameError):
        session.suggest("nowhere")
    with pytest.raises(ReviewsError, match="says nothing"):
        session.review(5, [], is_complete=False)
    with pytest.raises(ReviewsError, match="and not to be there"):
        session.review(5, [1], rejected=["CRAB"])
    with pytest.raises(ReviewsError, match="reviewer"):
        session.review(5, [1], reviewer="a\x07b")
    with pytest.raises(NoSuchFrameError, match="no map"):
        session.map_of(5, 1)
    with pytest.raises(ReviewsError, match="none can be added"):
        session.add_frames([])
    assert session.store.log == ()


def test_table_of_earlier_reviews__is_taken_once(opened: Open, tmp_path: Path) -> None:
    ids = pq.read_table(opened().collection.as_file(tmp_path)).column("image_id").to_pylist()
    table = tmp_path / "old.csv"
    table.write_text(
        "id,categories,complete,reviewer,rejected\n"
        f"{ids[2]},squid,yes,ben,\n{ids[7]},new thing,no,,fish\n"
        f"{ids[FAILED]},crab,,,\nnobody,1,,,\n"
    )
    told: list[str] = []
    session = opened(reviews=table, reporter=Reporter(told.append))
    assert [(r.row, r.reviewer, r.complete) for r in session.reviews()] == [
        (2, "ben", True),
        (7, "", False),
    ]
    assert [c.name for c in session.reviews()[1].rejected] == ["fish"]
    assert session.store.log[0].statement.machine is not None
    assert any("could not be read" in words for words in told)
    assert any("not among the predictions" in words for words in told)
    session.review(2, [1])
    session.undo()
    session.undo()  # a review from the table, too
    again = opened(reviews=table)
    assert [r.row for r in again.reviews()] == [2]


def test_table_with_a_fault__keeps_nothing_and_says_the_line(opened: Open, tmp_path: Path) -> None:
    ids = opened().collection.columns.image_ids
    table = tmp_path / "old.csv"
    table.write_text(f"id,categories\n{ids[2]},squid\n{ids[3]},99\n")
    with pytest.raises(ReviewsError, match="line 3"):
        opened(reviews=table)
    assert opened().reviews() == []


def test_progress__counts_up_to_the_dives_that_are_adapted(opened: Open) -> None:
    class Counting(Reporter):
        @contextmanager
        def progress(self, description: str, *, unit: str = "images") -> Iterator[ProgressCallback]:
            def show(done: int, total: int, failures: int = 0) -> None:
                del failures
                if description == "dives adapted":
                    counts.append((done, total))

            yield show

    counts: list[tuple[int, int]] = []
    session = opened(reporter=Counting())
    session.review(2, [3])
    session.review(30, ["new"])  # a column in the other dive, too
    session.dives()
    session.review(31, ["newer"])
    assert counts == []
    opened(reporter=Counting())
    assert counts == [(1, 2), (2, 2)]


def test_threads__share_a_session(opened: Open) -> None:
    session = opened()
    rows = [row for row in range(48) if row != FAILED]

    def work(mine: list[int]) -> None:
        for row in mine:
            session.review(row, [1 + row % 3])
            session.frames(order="unsure", limit=3)

    threads = [threading.Thread(target=work, args=(rows[start::4],)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(r.row for r in session.reviews()) == rows
    assert session.dives().overall is None  # there is no rest
    answers = [f.answer for f in session.frames(limit=500).frames if f.row != FAILED]
    assert answers == [("crab", "fish", "squid")[row % 3] for row in rows]
