"""Reviews that survive: a process killed while it writes, a server killed after it answered."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from finding_nemo.adaptation.adapt_predictions import adapt_predictions
from finding_nemo.adaptation.files.review_state import read_review_state
from finding_nemo.reviewing.open_review_session import open_review_session
from finding_nemo.reviewing.review_exports import reviews_table, write_adapted_predictions
from finding_nemo.reviewing.review_store import open_store

ABOUT = {"predictions": "a" * 64}
N_KILLS = 30
# Forks itself so that 30 processes need one start of Python: each child writes until it is killed.
WRITER = """
import os, sys
from pathlib import Path
from finding_nemo.reviewing.review_store import NamedCategory, NewReview, open_store

def say(word, number):
    os.write(1, f"{word} {number}\\n".encode())  # whole, though its writer is killed

path, about = Path(sys.argv[1]), {"predictions": "a" * 64}
for line in sys.stdin:
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        say("ended", child)
        continue
    say("pid", os.getpid())
    store = open_store(path, about)
    start = len(store.log)
    for number in range(start, start + 100_000):
        names = tuple(NamedCategory(n, "animal " * 40) for n in range(50))
        said = NewReview(image_id=f"f{number}", categories=names, reviewer=line.strip())
        kept = store.add(said)
        if number % 7 == 3:
            undone = store.undo()
            say("undone", undone.number)
        else:
            say("kept", kept.number)
"""


def test_reviews__that_were_acknowledged_survive_thirty_kills(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    kept: set[int] = set()
    undone: set[int] = set()
    wait = random.Random(7)  # noqa: S311
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        for number in range(N_KILLS):
            writer.stdin.write(f"writer {number}\n")
            writer.stdin.flush()
            word, pid = writer.stdout.readline().split()
            assert word == "pid"
            told = writer.stdout.readline()  # it writes by now
            time.sleep(wait.uniform(0, 0.02))
            os.kill(int(pid), signal.SIGKILL)
            while (parts := told.split())[0] != "ended":
                (kept if parts[0] == "kept" else undone).add(int(parts[1]))
                told = writer.stdout.readline()
        writer.stdin.close()
    assert len(kept) >= N_KILLS
    with open_store(path, ABOUT) as store:
        found = {review.number: review for review in store.log}
        assert kept <= {number for number, review in found.items() if not review.is_undone}
        assert undone <= {number for number, review in found.items() if review.is_undone}
        # None is half there: each holds its 50 categories, and who said it.
        for review in found.values():
            assert len(review.statement.categories) == 50
            assert re.fullmatch(r"writer \d+", review.statement.reviewer)


def _served(reviewable: Path, store: Path) -> tuple[subprocess.Popen[str], str]:
    command = [
        *(sys.executable, "-m", "finding_nemo", "review", str(reviewable / "fold0.parquet")),
        *("--reviews-db", str(store), "--port", "0", "--reviewer", "anna"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        found = re.search(r"http://\S+/", line)
        if found:
            return process, found[0]
    pytest.fail("the server did not start")


def _asked(url: str, body: dict[str, Any] | None = None) -> Any:
    request = urllib.request.Request(  # noqa: S310
        url,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310
        return json.load(reply)


def test_server__that_was_killed_goes_on_with_every_review(
    reviewable: Path, tmp_path: Path
) -> None:
    store = tmp_path / "kept.sqlite"
    process, url = _served(reviewable, store)
    try:
        done = _asked(f"{url}reviews", {"row": 2, "categories": ["Aeolidia papillosa"]})
    finally:
        process.kill()
        process.communicate()
    process, url = _served(reviewable, store)
    try:
        assert _asked(f"{url}reviews") == {"reviews": [done["review"]]}
        assert _asked(f"{url}frames/3")["method"] == "propagated"
        process.send_signal(signal.SIGTERM)
        told, _ = process.communicate(timeout=30)
        assert "Stopped: 1 frames are reviewed." in told
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()


def test_adapted_predictions__are_those_of_the_verb(reviewable: Path, tmp_path: Path) -> None:
    session = open_review_session(reviewable / "fold0.parquet", store=tmp_path / "x.sqlite")
    session.review(2, [3])
    session.review(9, ["new"])
    folder = tmp_path / "export"
    folder.mkdir()
    found = write_adapted_predictions(session, folder)
    table = tmp_path / "mine.csv"
    table.write_text(reviews_table(session), encoding="utf-8")
    state = read_review_state(reviewable / "fold0.parquet", reviews=table)
    adapt_predictions(state, tmp_path / "mine.parquet", reviews=table)
    assert pq.read_table(found).equals(pq.read_table(tmp_path / "mine.parquet"))
    session.close()
