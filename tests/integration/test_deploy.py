"""The images and the service: their files read, and their steps carried out without a container."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from built_distributions import copy_project
from running_server import RunningServer, start

pytestmark = pytest.mark.slow

_ROOT = Path(__file__).parents[2]
_IMAGES = ("Dockerfile", "Dockerfile.gpu")
_FOLDERS = ("build", "wheels", "app", "data")
_PIP = re.compile(r"\bpip\b|-m venv")
_UNIT = _ROOT / "deploy/finding-nemo.service"


@dataclass(frozen=True)
class Step:
    """One line of a Dockerfile: its word in capitals and what follows."""

    word: str
    rest: str


def steps_of(name: str) -> list[Step]:
    lines = (_ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    words = [line.split(maxsplit=1) for line in lines if line.strip() and not line.startswith("#")]
    return [Step(word, rest) for word, rest in words]


def only(steps: list[Step], word: str) -> str:
    """Return what follows the last step with a word: that of the image, not of its build."""
    return [step.rest for step in steps if step.word == word][-1]


@dataclass(frozen=True)
class Elsewhere:
    """A folder that stands in for the root of an image, without a network."""

    root: Path

    def moved(self, text: str) -> str:
        """Return a text with the image's folders moved below the root."""
        return re.sub(rf"(?<![\w./])/({'|'.join(_FOLDERS)})\b", rf"{self.root}/\1", text)

    def run(self, command: str, *, cwd: Path, **variables: str) -> str:
        """Run a line of the shell with this interpreter as `python` and its pip as `pip`."""
        bin_folder = self.root / "bin"
        if not bin_folder.exists():
            bin_folder.mkdir()
            for name, words in (("python", ""), ("pip", "-m pip")):
                shim = bin_folder / name
                shim.write_text(f'#!/bin/sh\nexec {sys.executable} {words} "$@"\n')
                shim.chmod(0o755)
        done = subprocess.run(
            ["/bin/sh", "-ec", self.moved(command)],
            cwd=cwd,
            env={
                "PATH": f"{bin_folder}:/usr/bin:/bin", "TMPDIR": os.environ.get("TMPDIR", "/tmp"),  # noqa: S108
                "PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", **variables,
            },
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def copy(self, rest: str, *, context: Path, into: Path) -> None:
        """Copy as COPY does, from the project or from the stage before."""
        *sources, target = rest.split()
        if sources[0].startswith("--from="):
            assert sources[1:] == [target]  # it lies there already: the stages share the root
            return
        for name in sources:
            source = context / name
            goal = into / target
            if source.is_dir():
                shutil.copytree(source, goal, dirs_exist_ok=True)
            else:
                goal.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, goal)


@pytest.mark.parametrize("name", _IMAGES)
def test_image__runs_as_nobody_special_on_a_base_by_its_tag(name: str) -> None:
    steps = steps_of(name)
    bases = [step.rest.split()[0] for step in steps if step.word == "FROM"]
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.\d+-slim-\w+", bases[0])
    user = only(steps, "USER")
    assert user.isdigit()
    assert int(user) > 0
    words = [step.word for step in steps]
    assert words.index("USER") > max(n for n, step in enumerate(steps) if step.word == "RUN")
    assert json.loads(only(steps, "ENTRYPOINT")) == ["finding-nemo"]
    fetched = [step.rest for step in steps if re.search(r"https?://|\b(curl|wget|apt)", step.rest)]
    assert [rest for rest in fetched if "127.0.0.1" not in rest] == []


def test_images__differ_only_in_what_they_are_for() -> None:
    kept = {"FROM", "COPY", "RUN", "USER", "WORKDIR", "VOLUME", "ENTRYPOINT", "STOPSIGNAL"}
    cpu, gpu = ([step for step in steps_of(name) if step.word in kept] for name in _IMAGES)
    assert cpu == gpu


@pytest.mark.parametrize("name", _IMAGES)
def test_image__offers_extras_that_there_are(name: str) -> None:
    text = (_ROOT / "pyproject.toml").read_text(encoding="utf-8")
    extras = only(steps_of(name), "ARG").partition("=")[2].split(",")
    assert [extra for extra in extras if f"\n{extra} = [" not in text] == []


def test_image__is_built_by_its_own_steps(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    root = Elsewhere(tmp_path / "root")
    for name in _FOLDERS:
        (root.root / name).mkdir(parents=True)
    folder = root.root
    for step in steps_of("Dockerfile"):
        if step.word == "WORKDIR":
            folder = Path(root.moved(step.rest))
        elif step.word == "COPY":
            root.copy(step.rest, context=project, into=folder)
        elif step.word == "RUN" and _PIP.search(step.rest):
            root.run(step.rest, cwd=folder, EXTRAS=only(steps_of("Dockerfile"), "ARG")[7:])
    libraries = sysconfig.get_path("purelib")
    said = root.run("/app/bin/finding-nemo --version", cwd=folder, PYTHONPATH=libraries)
    assert re.search(r"\d+\.\d+\.\d+", said)
    assert (root.root / "app/bin/finding-nemo").is_file()


def test_build__is_sent_only_what_it_copies() -> None:
    kept = {
        line[1:] for line in (_ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    }
    copied = [step.rest.split() for step in steps_of("Dockerfile") if step.word == "COPY"]
    assert {name for words in copied if words[0][:2] != "--" for name in words[:-1]} == kept


@pytest.fixture
def server(small_bundle: Path, tmp_path: Path) -> Iterator[RunningServer]:
    """The image's own command on a free port, with a token."""
    words = json.loads(only(steps_of("Dockerfile"), "CMD"))
    assert words[:2] == ["serve", "/bundle"]
    options = [
        str(tmp_path / "session") if word.startswith("/data") else word for word in words[2:]
    ]
    running = start("serve", str(small_bundle), *options, "--token", "a-token-of-a-test")
    yield running
    running.end()


def test_healthcheck__sees_whether_the_server_is_well(server: RunningServer) -> None:
    words = json.loads(only(steps_of("Dockerfile"), "HEALTHCHECK").partition(" CMD ")[2])
    check = [sys.executable, *(word.replace(":8765/", f":{server.port}/") for word in words[1:])]
    assert subprocess.run(check, capture_output=True).returncode == 0
    assert server.stop()[0] == 0
    assert subprocess.run(check, capture_output=True).returncode != 0


def test_service__runs_the_server_with_nothing_to_spare() -> None:
    lines = [line.partition("=") for line in _UNIT.read_text(encoding="utf-8").splitlines()]
    says = {name: value for name, equals, value in lines if equals and not name.startswith("#")}
    program, verb, *options = says["ExecStart"].split()
    assert (Path(program).name, verb) == ("finding-nemo", "serve")
    assert {option for option in options if option.startswith("--")} == {
        "--host", "--port", "--folder"
    }  # fmt: skip
    assert int(says["TimeoutStopSec"]) > 60  # what the server takes for accepted work
    for name, value in {
        "DynamicUser": "yes", "NoNewPrivileges": "yes", "ProtectSystem": "strict",
        "ProtectHome": "yes", "PrivateTmp": "yes", "CapabilityBoundingSet": "", "UMask": "0077",
        "StandardOutput": "null",  # the address with the token would stay in the journal
    }.items():  # fmt: skip
        assert says[name] == value


def test_service__is_understood_by_systemd(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("no systemd-analyze on this machine")
    unit = tmp_path / _UNIT.name
    unit.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", _UNIT.read_text()))
    done = subprocess.run([analyze, "verify", unit], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
