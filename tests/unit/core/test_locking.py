"""Two processes never write one output, and a killed one blocks nobody."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from finding_nemo.core.errors import OtherRunError, OutputError
from finding_nemo.core.files.atomic_files import lock_file
from finding_nemo.core.files.locking import held_alone

_HOLD = """
import sys, time
from pathlib import Path
from finding_nemo.core.files.locking import held_alone
with held_alone(Path(sys.argv[1]), "trains into RUN"):
    print("held", flush=True)
    time.sleep(600)
"""


def test_held__another_is_refused_with_the_pid_and_a_killed_one_blocks_nobody(
    tmp_path: Path,
) -> None:
    path = tmp_path / "deep" / ".run.lock"
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        said = rf"Another process \(pid {other.pid}\) trains into RUN now"
        with pytest.raises(OtherRunError, match=said), held_alone(path, "trains into RUN"):
            pass
        other.kill()
    assert path.exists()
    with held_alone(path, "trains into RUN"):
        assert path.read_text().split()[0] == str(os.getpid())
    assert not path.exists()


def test_held__twice_in_one_process_is_refused_and_ends_with_the_block(tmp_path: Path) -> None:
    path = tmp_path / ".run.lock"
    with (
        held_alone(path, "trains into RUN"),
        pytest.raises(OtherRunError, match=rf"pid {os.getpid()}\)"),
        held_alone(path, "trains into RUN"),
    ):
        pass
    with pytest.raises(ValueError, match="anything"), held_alone(path, "trains into RUN"):
        raise ValueError("anything")
    with held_alone(path, "trains into RUN"):
        pass


def test_held__on_another_machine_names_it(tmp_path: Path) -> None:
    path = tmp_path / ".run.lock"
    with path.open("w") as file:
        file.write("123 other-host")
        file.flush()
        assert lock_file(file.fileno())
        with (
            pytest.raises(OtherRunError, match=r"\(pid 123 on other-host\)"),
            held_alone(path, "trains into RUN"),
        ):
            pass


@pytest.mark.parametrize(
    ("number", "taken"), [(errno.EWOULDBLOCK, False), (errno.ENOLCK, True), (errno.ENOTSUP, True)]
)
def test_lock__where_files_cannot_be_locked_nothing_is_refused(
    number: int, taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", fails)
    assert (lock_file(0) is not False) is taken


def test_held__where_nothing_can_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(OutputError, match="Cannot write"),
        held_alone(tmp_path / "file" / ".run.lock", "trains into RUN"),
    ):
        pass
