"""What the API says of predictions and bundles."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from finding_nemo.core.assessment import Answer, Assessment, GuessEvidence
from finding_nemo.core.errors import OutputError
from finding_nemo.core.records import Prediction
from finding_nemo.models.bundle.bundle import load_bundle
from finding_nemo.models.bundle.manifest import CategoryEvidence
from finding_nemo.serving.middleware.request_limits import RequestLimits
from finding_nemo.serving.model_reply import domain_warning, model_reply
from finding_nemo.serving.prediction_reply import predict_result
from finding_nemo.serving.run_server import Address, _listen

CATEGORIES = tuple(
    CategoryEvidence(
        category_id=number, name=name, supercategory="all", n_images=dives * 3, n_dives=dives
    )
    for number, name, dives in ((7, "crab", 12), (9, "eel", 1), (2, "squid", 0))
)


def prediction(novelty_percentile: float = 0.25) -> Prediction:
    """Return what might be said of a frame."""
    evidence = GuessEvidence(np.zeros(3, np.int32), np.zeros(3, np.int32), np.zeros(3, np.float32))
    assessment = Assessment(
        evidence, novelty_percentile, np.zeros(1, np.float32), (9,), (9, 7), "eel", 0.5, "", 0.3
    )
    answer = Answer(
        text="eel", level="category", confidence="likely", probability=0.5, why="Because."
    )
    return Prediction(
        "a",
        "a.png",
        40,
        30,
        None,
        np.array([0.25, 0.5, 0.125], np.float32),
        1.0,
        assessment=assessment,
        answer=answer,
    )


def test_result__by_hand() -> None:
    found = predict_result("mine.png", prediction(), CATEGORIES).model_dump()
    assert found == {
        "name": "mine.png",
        "failure": None,
        "width": 40,
        "height": 30,
        "answer": "eel",
        "confidence": "likely",
        "why": "Because.",
        "guesses": [
            {"id": 9, "name": "eel", "supercategory": "all", "probability": 0.5,
             "evidence": "seen in 1 dive"},
            {"id": 7, "name": "crab", "supercategory": "all", "probability": 0.25,
             "evidence": "seen in 12 dives"},
            {"id": 2, "name": "squid", "supercategory": "all", "probability": 0.125,
             "evidence": "never seen in training"},
        ],
        "unusual": 0.25,
        "unusual_words": "as usual",
        "present": [9],
    }  # fmt: skip


def test_result__of_a_frame_that_nobody_can_compare() -> None:
    found = predict_result("a", prediction(math.nan), CATEGORIES)
    assert (found.unusual, found.unusual_words) == (None, None)


def test_result__of_a_failure_says_why_alone() -> None:
    failed = Prediction("a", "a", None, None, "is empty (0 bytes)", None, None)
    found = predict_result("a", failed, CATEGORIES)
    assert (found.failure, found.guesses, found.answer) == ("is empty (0 bytes)", [], None)


def test_model__names_no_path(small_bundle: Path) -> None:
    found = model_reply(load_bundle(small_bundle), RequestLimits(), reviewer="anna")
    assert found.name == small_bundle.parent.name
    assert (found.n_train_dives, found.reviewer) == (2, "anna")
    assert found.frame is not None
    assert (found.frame.width, len(found.categories)) == (32, 30)
    assert str(small_bundle) not in found.model_dump_json()


def test_warning__of_frames_from_another_world() -> None:
    far = np.full(12, 1.0, np.float32)
    warning = domain_warning(["a"] * 12, far)
    assert warning is not None
    assert "do not trust the names" in warning
    assert domain_warning(["a"] * 12, far - 0.5) is None
    assert domain_warning([], far[:0]) is None
    assert domain_warning(["a"] * 12, far * np.nan) is None


@pytest.mark.parametrize(
    ("host", "token", "url"),
    [
        ("127.0.0.1", None, "http://127.0.0.1:80/"),
        ("0.0.0.0", "t", "http://127.0.0.1:80/#token=t"),  # noqa: S104
        ("::", None, "http://[::1]:80/"),
        ("ship.example", None, "http://ship.example:80/"),
    ],
)
def test_address__is_one_that_a_browser_can_open(host: str, token: str | None, url: str) -> None:
    assert Address(host=host).url(80, token=token) == url


@pytest.mark.parametrize("address", [Address(host="no.such.host.invalid"), Address(host="8.8.8.8")])
def test_address__that_is_not_ours_is_refused(address: Address) -> None:
    with pytest.raises(OutputError, match=f"Cannot listen on {address.host}, port 8765"):
        _listen(address)


def test_port__that_is_taken_is_refused() -> None:
    with _listen(Address(port=0)) as taken:
        taken.listen()
        with pytest.raises(OutputError, match="Choose another with --port"):
            _listen(Address(port=taken.getsockname()[1]))
