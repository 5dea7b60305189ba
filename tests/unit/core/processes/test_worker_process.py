from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from finding_nemo.core.processes.answer_requests import answer_all
from finding_nemo.core.processes.messages import Message, read_message, write_message
from finding_nemo.core.processes.worker_process import WorkerGoneError, WorkerProcess, is_unable

# Functions of the package's own light modules: a worker starts in a tenth of a second with them.
ANY_FUNCTION = "finding_nemo.core.processes.cores:usable_cores"


def test_answers__come_one_a_request_and_say_what_could_not_be_done() -> None:
    requests, answers = io.BytesIO(), io.BytesIO()
    for number in (4, 0, 2):
        write_message(requests, Message({"n": number}, b"ab"))
    requests.seek(0)
    answer_all(
        lambda m: Message({"share": 8 / m.facts["n"]}, bytes(m.content)[::-1]), requests, answers
    )
    answers.seek(0)
    found = [read_message(answers) for _ in range(5)]
    assert found[0] == Message({"ready": True}, b"")
    assert found[1] == Message({"share": 2.0}, b"ba")
    assert found[2] is not None
    assert is_unable(found[2])
    assert found[2].facts == {"unable": "ZeroDivisionError: division by zero"}
    assert found[3] == Message({"share": 4.0}, b"ba")
    assert found[4] is None


def test_a_worker__ignores_ctrl_c_and_ends_when_it_is_closed() -> None:
    worker = WorkerProcess(ANY_FUNCTION)
    worker.wait_ready()
    if hasattr(os, "kill") and os.name == "posix":
        os.kill(worker.pid, signal.SIGINT)
    # The function takes no request, so it is unable; but it answers.
    assert is_unable(worker.ask(Message({}, b"x" * 3_000_000)))
    worker.close()
    with pytest.raises(WorkerGoneError):
        worker.ask(Message())


def test_a_worker_that_was_killed__is_gone() -> None:
    worker = WorkerProcess(ANY_FUNCTION)
    worker.wait_ready()
    os.kill(worker.pid, signal.SIGTERM)
    worker._process.wait()
    with pytest.raises(WorkerGoneError):
        worker.ask(Message())
    worker.close()


def test_a_function_that_does_not_exist__is_gone_at_once() -> None:
    worker = WorkerProcess("finding_nemo.core:no_such_function")
    with pytest.raises(WorkerGoneError, match="ended before"):
        worker.wait_ready()
    worker.close()


def test_no_python_to_start__is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(WorkerGoneError, match="no Python"):
        WorkerProcess(ANY_FUNCTION)
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(WorkerGoneError):
        WorkerProcess(ANY_FUNCTION)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
def test_asker_killed__leaves_no_worker_behind() -> None:
    program = (
        "import time\n"
        "from finding_nemo.core.processes.worker_process import WorkerProcess\n"
        f"worker = WorkerProcess({ANY_FUNCTION!r}); worker.wait_ready()\n"
        "print(worker.pid, flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as asker:
        assert asker.stdout is not None
        worker = Path(f"/proc/{int(asker.stdout.readline())}")
        assert worker.exists()
        asker.kill()
    until = time.monotonic() + 20
    while _runs(worker) and time.monotonic() < until:
        time.sleep(0.01)
    assert not _runs(worker)


def _runs(process: Path) -> bool:
    try:  # one that ended, but whose end nobody asked for, is a zombie
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
