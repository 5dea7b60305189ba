"""Two processes that train together take the steps that one would."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from finding_nemo.core.errors import SettingsError, TrainingError
from finding_nemo.data.dataset import read_dataset
from finding_nemo.training.loop.distributed import ProcessGroup
from finding_nemo.training.train_recipe import train

pytest.importorskip("lightning_fabric", reason="several processes need lightning-fabric")


def trained(data: Path, out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("finding-nemo")
    command = [str(program), "train", str(data), "--out", str(out), *options]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def settings(**changes: object) -> list[str]:
    return [word for key, value in changes.items() for word in ("--set", f"{key}={value}")]


def last_row(run: Path) -> dict[str, str]:
    with (run / "log.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))[-1]


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["basic-nn", "probe"])
def test_two_processes__end_where_one_ends(recipe: str, tiny_folder: Path, tmp_path: Path) -> None:
    # No dropout, whose draws differ, and a batch size that does not divide the images.
    changes = settings(epochs=3, batch_size=7, width_px=64, height_px=64)
    if recipe == "probe":
        changes += settings(dropout=0, pretrained=False)
    one = trained(tiny_folder, tmp_path / "one", "--recipe", recipe, *changes)
    # Batch normalisation would see another batch in each turn; the probe has none.
    micro_batches = settings(micro_batch_size=2) if recipe == "probe" else []
    two = trained(
        tiny_folder,
        tmp_path / "two",
        "--recipe",
        recipe,
        *changes,
        *micro_batches,
        "--devices",
        "2",
    )
    assert one.returncode == 0, one.stderr
    assert two.returncode == 0, two.stderr
    assert "shared by 2 processes" in two.stderr
    # The score, and below it the same by each ranking: said by one process only.
    assert two.stdout.count("class frequency alone") == 1
    assert two.stdout.count("by calibrated probability") == 1
    expected, found = last_row(tmp_path / "one"), last_row(tmp_path / "two")
    for name in ("training_loss", "validation_loss", "map_at_20"):
        assert float(found[name]) == pytest.approx(float(expected[name]), abs=1e-3), name
    weights = [load_file(tmp_path / run / "bundle/weights.safetensors") for run in ("one", "two")]
    for name, tensor in weights[0].items():
        np.testing.assert_allclose(weights[1][name], tensor, atol=1e-3, err_msg=name)


_STOPPED = """
import os, sys
from pathlib import Path
from finding_nemo import read_dataset
from finding_nemo.training.loop import trainer as loop
from finding_nemo.training.loop.distributed import ProcessGroup
from finding_nemo.training.train_recipe import train

real, taken, last = loop.set_learning_rate, [0], int(sys.argv[3])

def counted(*arguments):
    taken[0] += 1
    if taken[0] > last:
        os._exit(9)
    return real(*arguments)

loop.set_learning_rate = counted
settings = {"backbone": "test_efficientnet", "pretrained": False, "width_px": 64, "height_px": 64,
            "batch_size": 6, "epochs": 1, "micro_batch_size": 2}
run = train(read_dataset(sys.argv[1]), out=Path(sys.argv[2]), recipe="nemo", settings=settings,
            resume=True, group=ProcessGroup(2), checkpoint_every_s=0)
if run.is_main:
    print("hash", run.bundle_hash)
"""


@pytest.mark.slow
def test_two_processes__stopped_within_an_epoch_end_with_the_same_bundle(
    tiny_folder: Path, tmp_path: Path
) -> None:
    # Dropout draws other numbers in each process, and batch normalisation sees other images.
    script = tmp_path / "stopped.py"
    script.write_text(_STOPPED)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}

    def run(name: str, last: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(script), str(tiny_folder), str(tmp_path / name), str(last)]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    whole = run("whole", 1_000)
    assert whole.returncode == 0, whole.stderr
    assert run("stopped", 2).returncode == 9
    assert (tmp_path / "stopped/checkpoints/last.safetensors").is_file()
    resumed = run("stopped", 1_000)
    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stdout == whole.stdout
    assert resumed.stdout.startswith("hash ")


@pytest.mark.slow
def test_wrong_command__one_message_and_no_second_process(
    tiny_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/other").touch()
    failed = trained(tiny_folder, tmp_path / "run", "--devices", "2")
    assert failed.returncode == 1
    assert failed.stderr.count("--overwrite") == 1


def test_no_network_to_train__is_said_before_anything_is_written(
    tiny_folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="2 processes for recipe prior"):
        train(
            read_dataset(tiny_folder),
            out=tmp_path / "run",
            recipe="prior",
            group=ProcessGroup(2),
        )
    assert not (tmp_path / "run").exists()


def test_alone__everything_is_its_own() -> None:
    alone = ProcessGroup()
    rows = np.arange(5)
    assert alone.is_main
    assert alone.share(rows).tolist() == rows.tolist()
    assert alone.total(0.5) == 0.5
    assert alone.all_gather(lambda some: some[:, None].astype(np.float32), 5)[:, 0].tolist() == [
        0, 1, 2, 3, 4,
    ]  # fmt: skip
    alone.check_batch(1, 1)


def test_shares__cover_a_batch_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.arange(11)
    found = []
    for rank in range(3):
        monkeypatch.setenv("RANK", str(rank))
        found += ProcessGroup(3).share(rows).tolist()
    assert sorted(found) == rows.tolist()


@pytest.mark.parametrize(
    ("variables", "rank"),
    [
        ({}, 0),
        ({"RANK": "3", "LOCAL_RANK": "1"}, 3),
        ({"SLURM_NTASKS": "4", "SLURM_PROCID": "2"}, 2),
        ({"NODE_RANK": "0", "LOCAL_RANK": "1"}, 1),
    ],
)
def test_rank__is_what_the_launcher_says(
    variables: dict[str, str], rank: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_NTASKS", "SLURM_PROCID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert ProcessGroup(4).rank == rank
    assert ProcessGroup(1).rank == 0


def test_too_little_to_share__says_what_is_needed() -> None:
    with pytest.raises(SettingsError, match="must be 8 or more"):
        ProcessGroup(4).check_batch(6, 100)
    with pytest.raises(TrainingError, match="7 images are too few for 4"):
        ProcessGroup(4).check_batch(8, 7)
    with pytest.raises(SettingsError, match="1 or more"):
        ProcessGroup(0)


@pytest.mark.slow
@pytest.mark.usefixtures("heeds_ctrl_c")
def test_leader_is_stopped__each_process_says_one_thing_and_ends(
    tiny_folder: Path, tmp_path: Path
) -> None:
    program = Path(sys.executable).with_name("finding-nemo")
    changes = settings(epochs=10_000, batch_size=8, width_px=64, height_px=64)
    command = [
        str(program), "train", str(tiny_folder), "--out", str(tmp_path / "run"),
        "--recipe", "basic-nn", *changes, "--devices", "2",
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    leader = subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment
    )
    log = tmp_path / "run" / "log.csv"
    until = time.monotonic() + 120
    while not log.is_file() and time.monotonic() < until:
        time.sleep(0.2)
    leader.send_signal(signal.SIGINT)
    # The end of stderr comes when the last process that holds it has ended.
    _, words = leader.communicate(timeout=120)
    assert leader.returncode == 130
    assert "Stopped by Ctrl-C" in words
    assert "--resume goes on from there" in words
    assert "Traceback" not in words
