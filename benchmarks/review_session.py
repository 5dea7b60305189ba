"""Time of a review, and memory of a session, over drawn frames with 1,280 features.

    python benchmarks/review_session.py FOLDER [--frames 5000] [--dives 1] [--categories 40,290]
    python benchmarks/review_session.py FOLDER --frames 100000 --dives 20 --categories 40 --serve

Each session runs in a process of its own on one core; told are seconds of that core for a review
and for the suggestion of the next frame, and the peak memory. With `--serve` the routes of the
server are loaded too, and asked instead of the session.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from adaptation_scale import draw
from threadpoolctl import threadpool_limits

from finding_nemo.core.reporter import Reporter
from finding_nemo.reviewing.open_review_session import open_review_session
from finding_nemo.reviewing.review_session import ReviewSession

_N_REVIEWS = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--frames", type=int, default=5000)
    parser.add_argument("--dives", type=int, default=1)
    parser.add_argument("--categories", default="40,290")
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one is not None:
        with threadpool_limits(limits=1):
            review(options.one, serves=options.serve)
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    for n_categories in map(int, options.categories.split(",")):
        name = f"frames-{options.frames}-{options.dives}-{n_categories}.parquet"
        path = options.folder / name
        if not path.exists():
            draw(path, options.frames, options.dives, n_categories)
        print(f"{options.frames:,} frames, {options.dives} dives, {n_categories} categories:")
        flags = ["--serve"] * options.serve
        command = [sys.executable, __file__, str(options.folder), "--one", str(path), *flags]
        subprocess.run(command, check=True)


def review(path: Path, *, serves: bool) -> None:
    """Review frames as they are suggested, and tell what it took."""
    store = path.with_suffix(".bench.sqlite")
    for left in path.parent.glob(f"{store.name}*"):
        left.unlink()
    session, opened = timed(lambda: open_review_session(path, store=store, reporter=Reporter()))
    print(f"  opened in {opened:.2f} s, peak {peak_mb():.0f} MB")
    steps = asked_steps(session) if serves else steps_of(session)
    suggest, say, lists = steps
    asking, saying, listing = [], [], []
    for number in range(_N_REVIEWS):
        row, seconds = timed(suggest)
        asking.append(seconds)
        names: list[int | str] = [1 + number % 7] if number % 10 else [f"new {number}"]
        saying.append(timed(lambda row=row, names=names: say(row, names))[1])  # type: ignore[misc]
        listing.append(timed(lists)[1])
    for what, found in (("review", saying), ("suggestion", asking), ("list and dives", listing)):
        middle = statistics.median(found)
        print(f"  {what}: first {found[0]:.3f} s, median {middle:.3f} s, most {max(found):.3f} s")
    print(f"  peak {peak_mb():.0f} MB after {_N_REVIEWS} reviews")
    session.close()


Steps = tuple[Callable[[], int], Callable[[int, list[int | str]], Any], Callable[[], Any]]


def steps_of(session: ReviewSession) -> Steps:
    """Return the steps of the loop by the session itself."""
    return (
        lambda: session.suggest()[0].row,
        session.review,
        lambda: (session.frames(), session.dives()),
    )


def asked_steps(session: ReviewSession) -> Steps:
    """Return the steps of the loop by the server's routes."""
    from fastapi.testclient import TestClient

    from finding_nemo.serving.make_app import Services, make_app
    from finding_nemo.serving.middleware.access import AccessRules
    from finding_nemo.serving.middleware.request_limits import USUAL_REQUEST_LIMITS
    from finding_nemo.serving.review_api.review_routes import make_review_router
    from finding_nemo.serving.review_api.serve_review import review_model_reply

    services = Services(
        model=lambda: review_model_reply(session, USUAL_REQUEST_LIMITS),
        rules=AccessRules(names=frozenset({"testserver"})),
        routers=(make_review_router(session),),
    )
    client = TestClient(make_app(services))

    def say(row: int, names: list[int | str]) -> None:
        client.post("/reviews", json={"row": row, "categories": names}).raise_for_status()

    def lists() -> None:
        client.get("/frames").raise_for_status()
        client.get("/dives").raise_for_status()

    return lambda: int(client.post("/suggest", json={}).json()["suggestions"][0]["row"]), say, lists


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Return what `work` returns, and the seconds of a core that it took."""
    started = time.process_time()
    found = work()
    return found, time.process_time() - started


def peak_mb() -> float:
    """Return the largest resident size of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
