"""One command in a process of its own: its time, its memory and what it writes to the disk."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_EVERY_S = 0.2
_PROC = Path("/proc")


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a command took.

    Attributes:
        wall_s: From its start to its end.
        cpu_s: Of all its processes and cores.
        peak_mb: Memory of it and its children at once, at most: what only they hold.
        peak_at_s: When that was.
        mapped_peak_mb: The same with the pages of files that are mapped, which the system may take
            back at any time.
        written_mb: What was sent to the disk, temporary files included.
        exit_code: As the command left it.
    """

    wall_s: float
    cpu_s: float
    peak_mb: float
    peak_at_s: float
    mapped_peak_mb: float
    written_mb: float
    exit_code: int


def measure(
    command: Sequence[str],
    *,
    folder: Path,
    log: Path,
    variables: Mapping[str, str] | None = None,
    interrupt_at: str = "",
) -> Measured:
    """Run a command to its end.

    Args:
        command: The program and its arguments.
        folder: Where it runs.
        log: A file for all that it says.
        variables: Of the environment, besides those that are there.
        interrupt_at: Words of a server that is ready; it is interrupted then, as by Ctrl-C.
    """
    started = time.perf_counter()
    with log.open("wb") as words:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(variables or {})},
        )
    held, mapped, held_at_s, ended = 0, 0, 0.0, 0
    while not ended:
        time.sleep(_EVERY_S)
        if interrupt_at and interrupt_at in log.read_text(errors="replace"):
            process.send_signal(signal.SIGINT)
            interrupt_at = ""
        now = [_memory(pid) for pid in _tree(process.pid)]
        mapped = max(mapped, sum(each.mapped for each in now))
        if sum(each.held for each in now) > held:
            held, held_at_s = sum(each.held for each in now), time.perf_counter() - started
        ended, status, used = os.wait4(process.pid, os.WNOHANG)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Measured(
        wall_s=time.perf_counter() - started,
        cpu_s=used.ru_utime + used.ru_stime,
        peak_mb=held / 1e6,
        peak_at_s=held_at_s,
        mapped_peak_mb=max(mapped, used.ru_maxrss * 1024) / 1e6,
        written_mb=used.ru_oublock * 512 / 1e6,
        exit_code=process.returncode,
    )


def folder_mb(folder: Path) -> float:
    """Return what the files below a folder take on the disk, links not followed."""
    total = 0
    for path in folder.rglob("*"):
        if not path.is_dir():
            total += path.lstat().st_blocks * 512
    return total / 1e6


def _tree(pid: int) -> Iterator[int]:
    """Yield a process and all below it that run now."""
    yield pid
    try:
        tasks = list((_PROC / str(pid) / "task").iterdir())
        children = [int(n) for task in tasks for n in (task / "children").read_text().split()]
    except OSError:  # it ended meanwhile
        return
    for child in children:
        yield from _tree(child)


@dataclass(frozen=True)
class _Memory:
    """Bytes of one process: what only it holds, and that with the pages of mapped files."""

    held: int
    mapped: int


def _memory(pid: int) -> _Memory:
    try:
        lines = (_PROC / str(pid) / "status").read_text().splitlines()
    except OSError:  # it ended meanwhile
        return _Memory(0, 0)
    rows = (line.split() for line in lines if line.startswith("Rss"))
    kinds = {words[0]: int(words[1]) * 1024 for words in rows}
    held = kinds.get("RssAnon:", 0) + kinds.get("RssShmem:", 0)
    return _Memory(held, held + kinds.get("RssFile:", 0))
