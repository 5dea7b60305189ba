"""The program as daemons, pipes, containers and old terminals start it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import finding_nemo
from finding_nemo import read_dataset
from finding_nemo.training.train_recipe import train

_RUN = [sys.executable, "-c", "from finding_nemo.cli.main import run; run()"]
_SOURCE = str(Path(finding_nemo.__file__).parents[1])


def shell(line: str, folder: Path, **variables: str | None) -> tuple[int, str, str]:
    """Run a line of bash in which `$FN` is the program; return code, stdout and stderr."""
    known = {**os.environ, "PYTHONPATH": _SOURCE, **variables}
    program = " ".join(f"'{word}'" for word in _RUN)
    found = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line.replace("$FN", program)],
        cwd=folder,
        env={name: value for name, value in known.items() if value is not None},
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
        check=False,
    )
    out, err = (
        stream.decode("utf-8", "backslashreplace") for stream in (found.stdout, found.stderr)
    )
    assert "Traceback" not in err, err
    assert "Exception ignored" not in err, err
    return found.returncode, out, err


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of the competition, and a data set whose names are not ASCII."""
    folder = tmp_path_factory.mktemp("streams")
    (folder / "truth.csv").write_text("id,categories,osd\na,1,0\nb,2 3,1\n")
    (folder / "sub.csv").write_text("id,categories,osd\nb,3 2 1,0.9\na,1 2 3,0.1\n")
    (folder / "t.csv").write_text(
        "id,path,categories,dive\n1,x.png,Ålesund,d1\n2,b.png,fish,d2\n", encoding="utf-8"
    )
    return folder


@pytest.mark.parametrize(
    ("streams", "code", "out", "err"),
    [
        ("<&-", 0, "final score  1.000000", ""),
        (">&-", 0, "", ""),
        ("2>&-", 0, "final score  1.000000", ""),
        ("<&- >&- 2>&-", 0, "", ""),
        ("| head -1", 1, "images", ""),
        ("| true", 1, "", ""),
        ("> /dev/full", 1, "", "Cannot write standard output: No space left on device."),
    ],
)
def test_score__with_streams_closed_full_or_cut_off(
    folder: Path, streams: str, code: int, out: str, err: str
) -> None:
    found, said, told = shell(f"$FN score sub.csv truth.csv {streams}", folder)
    assert out in said
    assert err in told
    # A reader may take all before it leaves.
    assert found == code or (streams.startswith("|") and found == 0)


@pytest.mark.parametrize(
    ("variables", "shown"),
    [
        ({"PYTHONIOENCODING": "ascii"}, "\\xc5lesund"),
        ({"PYTHONIOENCODING": "ascii", "TERM": "dumb", "COLUMNS": "1"}, "\\xc5lesund"),
        ({"LC_ALL": "C", "LANG": None, "PYTHONUTF8": None, "PYTHONIOENCODING": None}, "Ålesund"),
        ({"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, "\\xc5lesund"),
        ({"HOME": None, "XDG_CACHE_HOME": None}, "Ålesund"),
        ({"HOME": "/proc/none", "PYTHONIOENCODING": "utf-8:strict"}, "Ålesund"),
    ],
)
def test_inspect__on_any_terminal(
    folder: Path, variables: dict[str, str | None], shown: str
) -> None:
    code, out, err = shell("$FN inspect t.csv --no-open-images", folder, **variables)
    assert code == 0, err
    assert shown in out


def test_predict__from_a_closed_stdin_is_one_message(folder: Path, small_bundle: Path) -> None:
    code, _, err = shell(f"$FN predict {small_bundle} - --out p.csv <&-", folder)
    assert code == 1
    assert err.startswith("finding-nemo: - stands for a list on standard input, which is closed.")
    assert err.count("\n") == 1
    assert not list(folder.glob("*p.csv*"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs another user")
def test_predict__as_another_user_without_a_home(tiny_folder: Path, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        run = train(read_dataset(tiny_folder), out=tmp_path / "run", recipe="prior").folder
    finally:
        os.umask(before)
    for path in (tmp_path, *tmp_path.parents):
        if path.stat().st_mode & 0o005 != 0o005:
            pytest.skip("another user cannot reach the tests' folder")
    (tmp_path / "out").mkdir()
    (tmp_path / "out").chmod(0o777)
    code, out, err = shell(
        f"setpriv --reuid 65534 --regid 65534 --clear-groups $FN predict {run} {tiny_folder} "
        f"--out {tmp_path}/out/p.csv",
        Path("/"),
        HOME=None,
        LC_ALL="C",
    )
    assert code == 0, err
    assert "30 images." in out
