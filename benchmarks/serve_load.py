"""The server under load beside offline prediction: errors, seconds a request, images a second.

Run: python benchmarks/serve_load.py BUNDLE FRAMES [REQUESTS] [AT_ONCE]
Requests of one frame each (1,000 of them) are sent by threads of this process (32), which takes
processors that the server then has not; its share of offline prediction says so. Beside the rates
stand milliseconds of a processor for each image, which a busy machine changes little.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from queue import Empty, SimpleQueue

from finding_nemo import Predictor
from finding_nemo.data.images.decode import IMAGE_SUFFIXES

_ROUNDS = 2


@contextmanager
def serving(bundle: Path) -> Iterator[tuple[int, int]]:
    """Serve `bundle` in a process of its own; yield its port and its number."""
    command = [sys.executable, "-m", "finding_nemo", "serve", str(bundle), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"Ready at http://[^:]+:(\d+)/", process.stdout.readline())
        assert found is not None, "the server did not start"
        try:
            yield int(found[1]), process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)
            print(f"stopped with exit code {process.returncode}")


def ask(port: int, frames: SimpleQueue[bytes], seconds: list[float], errors: list[str]) -> None:
    """Send frames over one connection until none is left."""
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    while True:
        try:
            frame = frames.get_nowait()
        except Empty:
            break
        began = time.perf_counter()
        try:
            connection.request("POST", "/predict", frame, {"Content-Type": "image/jpeg"})
            reply = connection.getresponse()
            body = json.loads(reply.read())
            if reply.status != 200 or body["results"][0]["failure"]:
                errors.append(f"{reply.status}: {str(body)[:120]}")
        except OSError as error:
            errors.append(repr(error))
            connection.close()
        seconds.append(time.perf_counter() - began)
    connection.close()


def cpu_s(pid: int) -> float:
    """Return the seconds of processors that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load_of(port: int, contents: list[bytes], at_once: int) -> tuple[float, list[float], list[str]]:
    """Return images a second, seconds of each request, and errors."""
    frames: SimpleQueue[bytes] = SimpleQueue()
    for content in contents:
        frames.put(content)
    seconds: list[float] = []
    errors: list[str] = []
    clients = [
        threading.Thread(target=ask, args=(port, frames, seconds, errors)) for _ in range(at_once)
    ]
    began = time.perf_counter()
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return len(contents) / (time.perf_counter() - began), seconds, errors


def offline_rate(bundle: Path, paths: list[Path]) -> tuple[float, float]:
    """Return images a second of offline prediction, and seconds of a processor for each."""
    predictor = Predictor(bundle, with_embedding=True, with_maps=True)
    list(predictor.predict(paths[:16]))
    began, used = time.perf_counter(), time.process_time()
    n_found = sum(1 for _ in predictor.predict(paths))
    return n_found / (time.perf_counter() - began), (time.process_time() - used) / n_found


def main(bundle: Path, folder: Path, n_requests: int = 1000, at_once: int = 32) -> None:
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
    step = max(1, len(found) // n_requests)
    paths = list(itertools.islice(itertools.cycle(found[::step]), n_requests))
    contents = [path.read_bytes() for path in paths]
    for _ in range(_ROUNDS):
        offline, offline_s = offline_rate(bundle, paths)
        with serving(bundle) as (port, pid):
            load_of(port, contents[:64], at_once)
            before, own = cpu_s(pid), time.process_time()
            rate, seconds, errors = load_of(port, contents, at_once)
            server_s = (cpu_s(pid) - before) / n_requests
            client_s = (time.process_time() - own) / n_requests
        cuts = statistics.quantiles(seconds, n=20)
        print(
            f"{n_requests:,} requests, {at_once} at once: {len(errors)} errors {errors[:3]}, "
            f"p50 {cuts[9] * 1000:.0f} ms, p95 {cuts[18] * 1000:.0f} ms, {rate:.1f} images/s, "
            f"offline {offline:.1f} images/s: {100 * rate / offline:.0f} %; ms of a processor an "
            f"image: server {1000 * server_s:.1f}, client {1000 * client_s:.1f}, offline "
            f"{1000 * offline_s:.1f}"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:5]))
