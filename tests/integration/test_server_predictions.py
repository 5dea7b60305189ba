"""What a whole server says of frames: the same as offline, in order, at any load, and kept."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from finding_nemo import Predictor

Form = Callable[..., tuple[bytes, str]]


def frame(number: int) -> bytes:
    """Return a drawn frame that differs by number, PNG or JPEG."""
    rng = np.random.default_rng(number)
    pixels = rng.integers(0, 255, (20 + number % 5, 30, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG" if number % 2 else "PNG")
    return stream.getvalue()


@pytest.fixture(scope="module")
def frames() -> list[bytes]:
    return [b"damaged" if number == 17 else frame(number) for number in range(64)]


@pytest.fixture(scope="module")
def offline(bundle_with_maps: Path, frames: list[bytes]) -> list[dict[str, Any]]:
    """What offline prediction says of each frame, as the API would say it."""
    found = []
    for prediction in Predictor(bundle_with_maps, with_maps=True).predict(frames):
        answer = prediction.answer
        found.append(
            {
                "failure": prediction.failure,
                "width": prediction.width,
                "height": prediction.height,
                "answer": None if answer is None else answer.text,
                "guesses": [
                    (category.category_id, probability)
                    for category, probability in prediction.top(20)
                ],
            }
        )
    return found


def said(result: dict[str, Any]) -> dict[str, Any]:
    """Return of a result what is compared."""
    guesses = [(guess["id"], guess["probability"]) for guess in result["guesses"]]
    kept = {name: result[name] for name in ("failure", "width", "height", "answer")}
    return {**kept, "guesses": guesses}


def test_requests__32_at_once_get_what_offline_prediction_says(
    served: Any, form: Form, frames: list[bytes], offline: list[dict[str, Any]]
) -> None:
    def ask(number: int) -> dict[str, Any]:
        status, told = served.post("/predict", *form((f"{number}.png", frames[number])))
        assert status == 200
        (result,) = told["results"]
        assert result["name"] == f"{number}.png"
        return said(result)

    with ThreadPoolExecutor(32) as clients:
        found = list(clients.map(ask, range(len(frames))))
    assert found == offline


def test_parts__come_back_in_order(
    served: Any, form: Form, frames: list[bytes], offline: list[dict[str, Any]]
) -> None:
    numbers = [5, 3, 17, 3, 60]
    body = form(*((f"n{number}", frames[number]) for number in numbers))
    status, told = served.post("/predict", *body)
    assert status == 200
    assert [result["name"] for result in told["results"]] == [f"n{k}" for k in numbers]
    assert [said(result) for result in told["results"]] == [offline[k] for k in numbers]


def test_frames__are_kept_and_opened_again(
    start_server: Any, bundle_with_maps: Path, form: Form, tmp_path: Path
) -> None:
    folder = tmp_path / "session"
    words = ("serve", str(bundle_with_maps), "--folder", str(folder), "--reviewer", "anna")
    server = start_server(*words)
    body = form(
        ("dive/a.png", frame(0)), ("dive/a.png", frame(1)), ("b.png", b"junk"), ("a.png", frame(2))
    )
    status, told = server.post("/frames", *body)
    assert status == 200
    rows = told["frames"]
    assert [row["id"] for row in rows] == ["a", "dive/a.png", "b", "a.png"]
    assert [row["state"] for row in rows] == ["unreviewed", "unreviewed", "failed", "unreviewed"]
    assert sorted(path.name for path in folder.glob("0*")) == [
        "000001.png",
        "000002.jpeg",
        "000004.png",
    ]
    review = b'{"row": 1, "categories": ["Nemo"], "complete": true}'
    assert server.post("/reviews", review, "application/json")[0] == 201
    before = server.ask("GET", "/frames?limit=10")[1]
    shown = server.ask("GET", "/frames/0/image")
    assert (shown[0], shown[1]) == (200, frame(0))
    # The folder is one server's.
    with pytest.raises(AssertionError, match="keeps the frames"):
        start_server(*words)
    assert server.stop()[0] == 0

    again = start_server(*words)
    after = again.ask("GET", "/frames?limit=10")[1]
    assert after == before
    assert after["frames"][1]["state"] == "reviewed"
    status, told = again.post("/frames", *form(("a.png", frame(3))))
    assert told["frames"][0]["row"] == 4
    assert again.stop()[0] == 0


def test_frames__of_no_folder_are_gone_with_the_server(
    start_server: Any, bundle_with_maps: Path, form: Form, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    server = start_server("serve", str(bundle_with_maps))
    assert server.post("/frames", *form(("a.png", frame(0))))[0] == 200
    (folder,) = tmp_path.glob("finding-nemo-*")
    assert (folder / "000001.png").is_file()
    assert server.stop()[0] == 0
    assert not list(tmp_path.glob("finding-nemo-*"))


def test_page__model_and_metrics(served: Any) -> None:
    status, model, _ = served.ask("GET", "/model")
    assert status == 200
    assert (model["mode"], model["can_predict"], model["has_maps"]) == ("serve", True, True)
    assert model["limits"] == {"files": 20, "bytes": 1_000_000, "pixels": 100_000_000}
    status, text, headers = served.ask("GET", "/metrics")
    assert headers["content-type"].startswith("text/plain")
    assert b"finding_nemo_images_total" in text
    status, schema, _ = served.ask("GET", "/openapi.json")
    assert {"/predict", "/frames", "/model", "/health", "/reviews"} <= set(schema["paths"])
