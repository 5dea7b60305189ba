"""The first screen in words."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from finding_nemo.reporting.dive.dive_counts import NameCount, count_frames
from finding_nemo.reporting.dive.dive_frames import (
    DiveFrames,
    Frame,
    Guess,
    Name,
    look_order,
)
from finding_nemo.reporting.dive.dive_words import (
    domain_warning,
    made_by,
    novelty_in_words,
    reasons_to_look,
    summarize,
    sure_of,
)
from finding_nemo.uncertainty.answers import CONFIDENCES

_NAMES = (Name(text="crab", n_images=40), Name(text="eel", n_images=3), Name(text="squid"))


def frame(*guesses: tuple[int, float], **values: Any) -> Frame:
    told: dict[str, Any] = {
        "image_id": "i",
        "path": "i.png",
        "dive": "",
        "captured": None,
        "time_s": None,
        "width": 4,
        "height": 3,
        "failure": "" if guesses else "is empty",
        "answer": guesses[0][0] if guesses else None,
        "answer_probability": math.nan,
        "confidence": 0 if guesses else None,
        "why": "",
        "guesses": tuple(Guess(*guess) for guess in guesses),
        "also_named": (),
        "novelty_percentile": math.nan,
        "look_first": 0,
    }
    return Frame(**{**told, **values})


def dive_of(*frames: Frame, **metadata: Any) -> DiveFrames:
    return DiveFrames(
        frames=frames,
        names=_NAMES,
        words=CONFIDENCES,
        has_own_words=True,
        map_grid=None,
        metadata=metadata,
    )


def test_summary_by_hand() -> None:
    found = dive_of(
        *[frame((0, 0.9), novelty_percentile=0.5)] * 6,
        *[frame((1, 0.5), confidence=2, novelty_percentile=0.96)] * 3,
        frame(),
    )
    words = summarize(found, count_frames(found.frames, 3))
    assert words.seen == "Most often crab (6 frames, all sure) and eel (3, none sure)."
    assert words.sure == (
        "67 % of the answers are “sure” and 33 % “guess”. "
        "Nine of ten sure answers should be right, and seven of ten likely ones; "
        "do not count a guess."
    )
    assert words.unread == "1 frame could not be read; the reason: “is empty”."
    assert words.unusual == (
        "3 frames (33 %) look unlike the frames that the model was checked on. "
        "About 5 % is ordinary."
    )
    assert words.made_by == "The file does not say which bundle made it."
    assert words.warning == ""


def test_summary_of_frames_that_all_failed() -> None:
    found = dive_of(frame(), frame(failure="is no image"))
    words = summarize(found, count_frames(found.frames, 3))
    assert words.seen == "Nothing was seen: no frame could be read."
    assert words.sure == "No frame has an answer."
    assert "commonest reason" in words.unread
    assert "not known" in words.unusual


def test_made_by__says_the_dives_or_how_many_at_least() -> None:
    told = {"recipe": "probe", "bundle_hash": "0123456789abcdef", "ended": "2026-03-04T10:00:00"}
    training = {"n_images": 1200, "n_dives": 1}
    assert made_by({**told, "bundle_name": "mine", "training": training}) == (
        "Bundle mine (0123456789ab), predicted on 2026-03-04; trained on 1,200 frames of 1 dive."
    )
    fewer = {"n_images": 12, "n_dives": 11, "n_left_out": 4}
    assert made_by({**told, "training": fewer}).endswith(
        "; trained on 12 frames of 11 dives (4 more could not be used)."
    )
    assert made_by({**told, "categories": [{"n_dives": 7}, {"n_dives": None}]}).endswith(
        "trained on at least 7 dives."
    )
    assert made_by(told).endswith("on how many dives it was trained is not known.")


@pytest.mark.parametrize(
    ("checked", "warning"),
    [
        (None, ""),
        ("no object", ""),
        ({"verdict": "foreign", "message": "Other frames."}, "Other frames."),
        ({"verdict": "alike", "message": ""}, ""),
        ({"verdict": "alike", "message": 3}, ""),
    ],
)
def test_domain_warning__is_what_the_file_says(checked: object, warning: str) -> None:
    assert domain_warning({"domain_check": checked}) == warning
    assert domain_warning({}) == ""


def test_novelty_in_words() -> None:
    assert novelty_in_words(math.nan) == "How unusual it is, is not known."
    assert novelty_in_words(1.0).startswith("More unusual than all frames")
    assert novelty_in_words(0.96).startswith("Unusual: more unusual than 96 % of")
    assert novelty_in_words(0.8).startswith("Somewhat unusual: more unusual than 80 %")
    assert novelty_in_words(0.0).startswith("Ordinary: more unusual than 0 %")


def test_reasons__name_novelty_doubt_and_thin_evidence() -> None:
    found = dive_of()
    assert reasons_to_look(frame((0, 0.5), (1, 0.4), novelty_percentile=0.999), found) == (
        "Unlike anything the model was checked on.",
        "Two names are about as likely: crab (50 %) and eel (40 %).",
    )
    assert reasons_to_look(frame((1, 0.2), (0, 0.01), novelty_percentile=0.97), found) == (
        "Looks unlike most frames that the model knows: unusual 97 %.",
        "No name is likely; the best is eel with 20 %.",
        "Only 3 training frames show eel.",
    )
    assert reasons_to_look(frame((0, 0.5), (1, 0.1)), found) == (
        "The best name, crab, has only 50 %.",
    )
    assert reasons_to_look(frame((0, 0.9), novelty_percentile=0.85), found) == (
        "Looks somewhat unlike the frames that the model knows: unusual 85 %.",
    )
    assert "crab with 90 %" in reasons_to_look(frame((0, 0.9), (1, 0.85)), found)[0]


def test_look_order__is_by_rank_and_then_by_interest() -> None:
    dull, odd = frame((0, 0.9), novelty_percentile=0.2), frame((0, 0.1), novelty_percentile=0.9)
    frames = [replace(one, look_first=rank) for one, rank in ((dull, 1), (odd, 2), (odd, 1))]
    assert look_order([*frames, dull]) == [2, 0, 1]


@pytest.mark.parametrize(
    ("by_word", "said"),
    [([4, 1, 0], "4 sure"), ([0, 2, 1], "none sure"), ([3, 0, 0], "all sure"), ([1, 0, 0], "sure")],
)
def test_sure_of(by_word: list[int], said: str) -> None:
    assert sure_of(NameCount(by_word), CONFIDENCES) == said


def test_unusual__where_no_frame_is() -> None:
    found = dive_of(frame((0, 0.9), novelty_percentile=0.5))
    words = summarize(found, count_frames(found.frames, 3))
    assert words.unusual == "None: no frame looks unlike those that the model was checked on."
