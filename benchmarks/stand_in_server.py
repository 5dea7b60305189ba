"""A folder of images as a server that misbehaves, in a process of its own.

Run: PYTHONPATH=tests python benchmarks/stand_in_server.py FOLDER PATHS.json --fault-rate 0.02

PATHS.json maps the path of each address to a file of FOLDER. The first line on stdout is the
server's address. At SIGTERM it ends, and says as JSON what it was asked.
"""

from __future__ import annotations

import argparse
import json
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType

from misbehaving_server import Account, MisbehavingServer

# For how long the server is silent, as seconds that a benchmark can wait.
_HOLD_S = 0.5


class FilesOnDisk(Mapping[str, bytes]):
    """Contents by path, read when they are asked for."""

    def __init__(self, folder: Path, names: Mapping[str, str]) -> None:
        """Serve the files of `folder` that `names` maps paths to."""
        self._folder, self._names = folder, names

    def __getitem__(self, path: str) -> bytes:
        return (self._folder / self._names[path]).read_bytes()

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, path: object) -> bool:
        return path in self._names


def summary(account: Account) -> dict[str, object]:
    return {
        "requests": len(account.asked),
        "by_answer": dict(Counter(each.done for each in account.asked).most_common()),
        "most_connections": account.most_connections,
        "most_requests_in_a_second": account.most_starts_within(1.0),
    }


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("paths", type=Path)
    parser.add_argument("--fault-rate", type=float, default=0.02)
    asked = parser.parse_args()
    files = FilesOnDisk(asked.folder, json.loads(asked.paths.read_text()))
    signal.signal(signal.SIGTERM, _stop)
    server = MisbehavingServer(files, fault_rate=asked.fault_rate, seed=1, hold_s=_HOLD_S)
    try:
        with server:
            print(server.url, flush=True)
            signal.pause()
    except KeyboardInterrupt:
        print(json.dumps(summary(server.account)), flush=True)


if __name__ == "__main__":
    main()
