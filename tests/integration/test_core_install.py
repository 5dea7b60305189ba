"""What `pip install .` alone promises, with every library of every extra taken away."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from finding_nemo import read_dataset
from finding_nemo.data.splits.split_csv import write_split
from finding_nemo.data.splits.splitters.by_dive import split_by_dive

_EXTRAS = (
    "torch", "torchvision", "timm", "onnx", "onnxscript", "kornia_rs", "openvino", "fsspec",
    "aiohttp", "s3fs", "av", "ray", "pandas", "lightning_fabric", "optuna", "fastapi",
    "starlette", "uvicorn", "python_multipart", "prometheus_client", "httpx",
)  # fmt: skip
_WITHOUT = f"""
import sys

class Without:
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {_EXTRAS!r}:
            return None
        return self.finder.find_spec(name, path, target)

sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
from finding_nemo.cli.main import run
sys.argv[0] = "finding-nemo"
try:
    run()
finally:
    loaded = [name for name in {_EXTRAS!r} if name in sys.modules]
    sys.exit(f"loaded {{loaded}}") if loaded else None
"""


def core(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _WITHOUT, *map(str, words)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_core__predicts_evaluates_inspects_and_writes_pages(
    tmp_path: Path, tiny_folder: Path, small_bundle: Path
) -> None:
    split = split_by_dive(read_dataset(tiny_folder), val_fraction=0.2, seed=0)
    write_split(split, tmp_path / "split.csv")
    test_part = ("--split", "split.csv", "--part", "test")
    for words in (
        ("predict", small_bundle, tiny_folder, *test_part, "--out", "p.parquet"),
        ("inspect", tiny_folder, "--out", "inspect.html"),
        ("predict", small_bundle, tiny_folder, "--out", "s.csv", "--format", "submission"),
        ("score", "s.csv", "s.csv"),
        ("recipes",),
    ):
        done = core(tmp_path, *words)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "inspect.html").read_text("utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("words", "needs"),
    [
        (("train", "{data}", "--out", "r"), "torch is not installed. Install it"),
        (("fetch", "{data}", "--out", "i", "--limit", "1"), "httpx is not installed. Install it"),
        (("names", "update", "{data}", "--out", "n.csv"), "httpx is not installed. Install it"),
        (("predict", "{bundle}", "a.mp4", "--out", "p.csv"), "a.mp4"),
        (("predict", "{bundle}", "s3://b/a.png", "--out", "p.csv"), "Install it"),
        (("predict", "{bundle}", "{data}", "--out", "p.csv", "--runtime", "openvino"), "Install"),
    ],
)
def test_core__says_which_extra_the_rest_needs(
    words: tuple[str, ...], needs: str, tmp_path: Path, tiny_folder: Path, small_bundle: Path
) -> None:
    filled = [word.format(data=tiny_folder, bundle=small_bundle) for word in words]
    done = core(tmp_path, *filled)
    assert done.returncode == 1
    assert needs in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_core__says_what_a_server_needs(tmp_path: Path, small_bundle: Path) -> None:
    done = core(tmp_path, "serve", small_bundle)
    assert done.returncode == 1
    assert "This runs a server, and " in done.stderr
    assert "serve" in done.stderr.rsplit("Install it", 1)[-1]
