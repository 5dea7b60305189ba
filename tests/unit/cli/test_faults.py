"""How a command ends: streams, messages, exit codes, Ctrl-C."""

from __future__ import annotations

import errno
import io
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from finding_nemo.cli.console import faults, streams
from finding_nemo.cli.console.faults import exit_code_of
from finding_nemo.cli.console.stopping import Stops
from finding_nemo.cli.options.output_options import check_suffix
from finding_nemo.core.errors import DatasetError, StoppedError

pytestmark = pytest.mark.usefixtures("heeds_ctrl_c")


def told(
    error: BaseException, capsys: pytest.CaptureFixture[str], stops: Stops | None = None
) -> tuple[int, str]:
    code = exit_code_of(error, stops or Stops())
    said = capsys.readouterr()
    assert said.out == ""
    return code, said.err


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (DatasetError("no such column"), 1, "no such column"),
        (StoppedError("the same command goes on"), 130, "the same command goes on"),
        (KeyboardInterrupt(), 130, "Stopped by Ctrl-C."),
        (SystemExit(130), 130, "Stopped by Ctrl-C."),
        (SystemExit("words"), 1, "words"),
        (PermissionError(13, "Permission denied", "/x"), 1, "Permission denied (/x)."),
        (
            OSError(5, "Input/output error", "a/.p.csv.parts/part-00.parquet"),
            1,
            "Input/output error (a/p.csv).",
        ),
        (ConnectionResetError(104, "Connection reset by peer"), 1, "Connection reset by peer."),
        (ConnectionError(), 1, "ConnectionError."),
        (MemoryError(), 1, "Not enough memory. Close"),
        (MemoryError("Unable to allocate 9 GiB"), 1, "memory (Unable to allocate 9 GiB)."),
        (RecursionError(), 1, "nested too deeply"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), 1, "encoding"),
        (ModuleNotFoundError("x", name="torch.nn"), 1, "torch is not installed. Install it"),
        (
            ZeroDivisionError("division by zero"),
            1,
            "An unexpected fault: ZeroDivisionError: division by zero. This is a bug",
        ),
        (ModuleNotFoundError("No module named 'x'", name="x"), 1, "bug of finding-nemo"),
    ],
)
def test_ending__is_one_message_and_a_code(
    error: BaseException, code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found, said = told(error, capsys)
    assert found == code
    assert said.startswith("finding-nemo: ")
    assert said.count("\n") == 1
    assert message in said
    assert "Traceback" not in said


@pytest.mark.parametrize("code", [0, 1, 2])
def test_exit__says_nothing_more(code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(SystemExit(code), capsys) == (code, "")


def test_stopped__whatever_an_interrupted_library_raises(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stops = Stops()
    stops.number = signal.SIGTERM
    assert told(ImportError("cut off"), capsys, stops) == (
        143,
        "finding-nemo: Stopped by SIGTERM.\n",
    )
    assert told(SystemExit(130), capsys, stops)[0] == 143


def test_traceback__is_shown_on_request(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(faults.TRACEBACK_VARIABLE, "1")
    try:
        raise ValueError("odd")
    except ValueError as error:
        code, said = told(error, capsys)
    assert code == 1
    assert "Traceback" in said
    assert "test_faults.py" in said


def test_message__shows_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    _, said = told(DatasetError("a\x1b[2J.jpg\nb\udcff"), capsys)
    assert said == "finding-nemo: a\\x1b[2J.jpg\nb\\xff\n"


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", b"\\xc5l - 3 x 4 ... \\u30d2 \\udcff"),
        ("latin-1", b"\xc5l - 3 \xd7 4 ... \\u30d2 \\udcff"),
        ("utf-8", "Ål – 3 × 4 … ヒ \\udcff".encode()),  # noqa: RUF001
    ],
)
def test_streams__show_every_name(encoding: str, shown: bytes) -> None:
    content = io.BytesIO()
    stream = streams._fit(io.TextIOWrapper(content, encoding=encoding, errors="strict"))
    stream.write("Ål – 3 × 4 … ヒ \udcff")  # noqa: RUF001
    stream.flush()
    assert content.getvalue() == shown


def test_flush__tells_a_full_disk_from_a_reader_that_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Broken(io.StringIO):
        def __init__(self, code: int) -> None:
            super().__init__()
            self.code = code

        def flush(self) -> None:
            raise OSError(self.code, os.strerror(self.code))

    for code, reason in (
        (errno.EPIPE, ""),
        (errno.ENOSPC, "Cannot write standard output: No space left on device."),
    ):
        monkeypatch.setattr(sys, "stdout", Broken(code))
        assert streams.flush_streams() == reason
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert streams.flush_streams() is None


@pytest.mark.parametrize("name", ["r.html", "r.HTM", "report", "r.v2", None])
def test_suffix__that_promises_no_other_format_is_taken(name: str | None) -> None:
    check_suffix(Path(name) if name else None, "--out", ".html", ".htm")


@pytest.mark.parametrize("name", ["r.pdf", "r.csv", "r.png", "r.json"])
def test_suffix__of_another_format_is_wrong_usage(name: str) -> None:
    import typer

    with pytest.raises(typer.BadParameter, match=r"End the name in \.html or \.htm"):
        check_suffix(Path(name), "--out", ".html", ".htm")


_PROGRAM = """
import signal, sys, threading, time
from finding_nemo.cli.console.stopping import Stops
stops = Stops()
try:
    stops.listen()
    print("ready", flush=True)
    {body}
except KeyboardInterrupt:
    stops.is_told = True
    print("stopped in order", flush=True)
    {after}
stops.end(stops.code if stops.number else 0, is_program=True)
"""


def ended(body: str, *signals: signal.Signals, after: str = "pass") -> tuple[int, str, float]:
    """Run a program, send it signals, and return code, output and seconds after the last."""
    code = _PROGRAM.format(body=body, after=after)
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        said = ""
        for place, number in enumerate(signals, start=1):
            process.send_signal(number)
            if place < len(signals):
                said += process.stdout.readline()
        sent = time.monotonic()
        said += process.stdout.read()
        return process.wait(30), said, time.monotonic() - sent


def test_ctrl_c__once_stops_in_order() -> None:
    code, said, _ = ended("time.sleep(30)", signal.SIGINT)
    assert (code, said) == (130, "stopped in order\n")


def test_sigterm__is_as_ctrl_c() -> None:
    code, said, _ = ended("time.sleep(30)", signal.SIGTERM)
    assert (code, said) == (143, "stopped in order\n")


def test_ctrl_c__twice_leaves_at_once_though_threads_are_busy() -> None:
    busy = "threading.Thread(target=time.sleep, args=(30,)).start(); time.sleep(30)"
    code, said, seconds = ended(busy, signal.SIGINT, signal.SIGINT, after="time.sleep(30)")
    assert (code, said) == (130, "stopped in order\n")
    assert seconds < 10


def test_ctrl_c__twice_leaves_a_call_that_python_cannot_interrupt() -> None:
    # Python's own handler does not run within a call of C.
    deaf = "import ctypes; ctypes.CDLL(None).sleep(30); ctypes.CDLL(None).sleep(30)"
    code = _PROGRAM.format(body=deaf, after="time.sleep(30)")
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.2)
        for _ in range(3):
            process.send_signal(signal.SIGINT)
            time.sleep(0.1)
        assert process.wait(10) == 130
        said = process.stdout.read()
        assert "topped" in said
        assert "Traceback" not in said


def test_ctrl_c__in_a_destructor_is_not_lost() -> None:
    body = "class Slow:\n        def __del__(self): time.sleep(30)\n    Slow(); time.sleep(30)"
    code, said, seconds = ended(body, signal.SIGINT)
    assert (code, said) == (130, "stopped in order\n")
    assert seconds < 10


def test_ctrl_c__ends_an_exit_that_waits_for_threads() -> None:
    busy = "threading.Thread(target=time.sleep, args=(30,)).start(); time.sleep(30)"
    code, _, seconds = ended(busy, signal.SIGINT)
    assert code == 130
    assert seconds < 10


def test_ctrl_c__is_ignored_where_the_program_was_started_so() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        code, said, _ = ended("time.sleep(0.5); print('done')", signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
    assert (code, said) == (0, "done\n")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_ctrl_c__of_a_forked_process_is_its_own_affair() -> None:
    fork = (
        "import os\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        try: time.sleep(30)\n"
        "        except KeyboardInterrupt: os._exit(7)\n"
        "    time.sleep(0.2); os.kill(child, signal.SIGINT)\n"
        "    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), stops.number)"
    )
    code, said, _ = ended(fork)
    assert (code, said) == (0, "7 None\n")


def test_handlers__are_put_back_where_a_command_runs_inside_a_program() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    n_threads = threading.active_count()
    stops = Stops()
    stops.listen()
    with pytest.raises(SystemExit) as stopped:
        stops.end(3, is_program=False)
    assert stopped.value.code == 3
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    for _ in range(100):
        if threading.active_count() == n_threads:
            break
        time.sleep(0.01)
    assert threading.active_count() == n_threads
