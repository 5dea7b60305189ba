"""The wheel where little is given: a user without a home, no network, files nobody may change.

So it is in a container that runs under a number, and on a ship's computer. The wheel is installed
with what the core needs and nothing else; the package belongs to another user, new files are for
their owner alone, and the only folders that can be written are the work folder and TMPDIR.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pytest

from built_distributions import build_distributions, copy_project
from installed_libraries import installed_libraries

pytestmark = pytest.mark.slow

_USER = 64321  # no line in the list of users: neither a name nor a home
_VERSION = f"python{sys.version_info[0]}.{sys.version_info[1]}"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, kw_only=True)
class BareEnvironment:
    """An installation that a stranger may use and not change."""

    program: Path
    package: Path
    work: Path
    temporary: Path
    as_stranger: tuple[str, ...]

    def run(self, *words: str | Path) -> str:
        """Run the program; return what it printed, both streams together."""
        done = subprocess.run(
            [*self.as_stranger, str(self.program), *map(str, words)],
            cwd=self.work,
            env={"PATH": "/usr/bin:/bin", "TMPDIR": str(self.temporary)},
            umask=0o077,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        assert "Traceback" not in done.stdout
        return done.stdout


def _works(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, cwd="/", env={}).returncode == 0


def _as_stranger() -> tuple[str, ...]:
    """Return the command before a command that takes user, privileges and network from it.

    `env` stands last: setpriv still starts what only root may see, and nobody after it does.
    """
    change = [
        shutil.which("setpriv") or "setpriv",
        *(f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups", "--no-new-privs", "--"),
        "/usr/bin/env",
    ]
    network = [shutil.which("unshare") or "unshare", "--net", "--"]
    others = [network + change, change] if os.geteuid() == 0 else [network]
    return tuple(next((one for one in others if _works([*one, "/bin/true"])), []))


def _python_for(stranger: tuple[str, ...]) -> str:
    """Return an interpreter of this version that the stranger can run."""
    homes = (str(Path(sys.base_prefix) / "bin"), "/usr/local/bin", "/usr/bin")
    for home in homes:
        python = shutil.which(_VERSION, path=home)
        if python is not None and _works([*stranger, python, "-c", "import ssl, venv"]):
            return python
    pytest.skip(f"no {_VERSION} that another user of this machine can run in {', '.join(homes)}")


def _copy_libraries(site: Path) -> None:
    """Copy what the core needs beside the wheel; the extras of this environment stay away."""
    for name, library in installed_libraries().items():
        assert library is not None, f"{name} is not installed here"
        for file in library.files or ():
            source = Path(str(library.locate_file(file)))
            if ".." not in file.parts and source.is_file():
                (site / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, site / file)


def _open_modes(folder: Path, *, write: bool) -> None:
    """Let everybody read what is below a folder, and nobody or its owner write."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            run = 0o111 if path.is_dir() or path.stat().st_mode & 0o100 else 0
            path.chmod(0o444 | run | (0o200 if write else 0))


@pytest.fixture(scope="module")
def bare(small_bundle: Path, tiny_folder: Path) -> Iterator[BareEnvironment]:
    """The wheel installed for strangers, with a bundle and three frames in their work folder."""
    stranger = _as_stranger()
    python = _python_for(stranger)
    with tempfile.TemporaryDirectory(prefix="bare-") as name:
        root = Path(name)
        root.chmod(0o755)
        wheel, _ = build_distributions(copy_project(root / "project"), root / "dist")
        home = root / "installed"
        subprocess.run([python, "-m", "venv", "--without-pip", home], check=True)
        pip = [sys.executable, "-m", "pip", "--python", f"{home}/bin/python", "--quiet"]
        install = [*pip, "install", "--no-index", "--no-deps", "--no-cache-dir", str(wheel)]
        # The project may be on the path of this environment; pip would call it installed.
        elsewhere = {name: of for name, of in os.environ.items() if name != "PYTHONPATH"}
        subprocess.run(install, check=True, env=elsewhere)
        site = home / f"lib/{_VERSION}/site-packages"
        _copy_libraries(site)
        _open_modes(home, write=False)
        work, temporary = root / "work", root / "temporary"
        shutil.copytree(small_bundle, work / "bundle")
        (work / "frames").mkdir()
        for number in range(3):
            shutil.copy(tiny_folder / f"images/train/f{number}.png", work / "frames")
        temporary.mkdir()
        if os.geteuid() == 0:
            for path in (work, temporary, *work.rglob("*")):
                os.chown(path, _USER, _USER)
        yield BareEnvironment(
            program=home / "bin/finding-nemo",
            package=site / "finding_nemo",
            work=work,
            temporary=temporary,
            as_stranger=stranger,
        )
        _open_modes(home, write=True)


def test_stranger__predicts_and_reports_and_leaves_nothing_else(bare: BareEnvironment) -> None:
    before = sorted(bare.package.rglob("*"))
    said = bare.run("predict", "bundle", "frames", "--out", "dive.parquet")
    bare.run("predict", "bundle", "frames", "--out", "dive.csv")
    bare.run("report", "dive.parquet", "--images", "frames", "--out", "dive.html")
    assert "3 images" in said
    assert len((bare.work / "dive.csv").read_text("utf-8-sig").splitlines()) == 4
    assert (bare.work / "dive.html").read_text("utf-8").startswith("<!doctype html>")
    made = [path for path in bare.work.iterdir() if path.name.startswith("dive")]
    assert [path.name for path in made if path.stat().st_mode & _OTHERS] == []
    assert sorted(bare.package.rglob("*")) == before
    assert list(bare.temporary.iterdir()) == []


def test_stranger__gets_help_and_the_version(bare: BareEnvironment) -> None:
    said = bare.run("--help")
    assert "predict" in said
    assert version("finding-nemo") in bare.run("--version")
    if " validate " in said:
        bare.run("validate", "dive.parquet")
