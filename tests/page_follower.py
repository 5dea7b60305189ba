"""Who follows a page in a folder of drawn frames: each command as a person would give it.

What a person does in between is done here: reviews are made from the truth of the drawing, a server
is asked once and ended, each machine is given its share. Made smaller than the pages say are
trainings and the number of machines; cards are played by the processor.
"""

from __future__ import annotations

import csv
import glob
import importlib.util
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from finding_nemo.cli import main
from page_commands import Block, own_words, words_of

_SMALL = ("--set", "backbone=test_efficientnet", "--set", "pretrained=false", "--set", "epochs=2")
_SERVERS = ("serve", "review")
_ADDRESS = re.compile(r"127\.0\.0\.1:8765")
# What is added to a command, by its verb.
_MADE_SMALLER = {
    "--config": _SMALL,
    "train": _SMALL,
    "tune": (*_SMALL, "--trials", "1", "--folds", "2"),
    "compare": _SMALL,
    "fetch": ("--rate", "500"),
    "novelty": (*_SMALL, "--holdouts", "2", "--far", "20"),
    "adaptation-curve": _SMALL,
    # The bundles here were copied away from the frames that they were trained on.
    "ensemble": ("--dataset", "FRAMES"),
    "export": ("--dataset", "FRAMES"),
}
# An archive of the tests is two pieces, so that two machines are enough.
_FIRST_OF_MANY = re.compile(r"1/(?:[3-9]|\d\d+)")
# Cards are played by the processor, and four of them by two processes.
_CARDS = (
    (re.compile(r"--device cuda\S*"), "--device cpu"),
    (re.compile(r"--devices 4"), "--devices 2"),
)


def begin(folder: Path) -> None:
    """Fill `folder` with what the pages begin with: a demo of few frames and a small network."""
    from finding_nemo import make_split, read_dataset, train
    from finding_nemo.data.splits.split_csv import write_split
    from finding_nemo.synthetic.write_dataset import draw_dataset

    frames = draw_dataset(folder / "demo/dataset", dives=20, images=80)
    dataset = read_dataset(frames)
    split = make_split(dataset, by="dive", val_fraction=0.3)
    write_split(split, folder / "demo/split.csv")
    small = {"backbone": "test_efficientnet", "pretrained": False, "epochs": 2}
    train(dataset, out=folder / "demo/run", recipe="probe", split=split, settings=small)
    # An ensemble of a bundle and itself is refused.
    train(dataset, out=folder / "runs/patches", recipe="probe", split=split, seed=1, settings=small)
    _predict(folder)
    for name in ("nemo", "probe"):
        shutil.copytree(folder / "demo/run", folder / "runs" / name)
    shutil.copytree(folder / "demo/dataset", folder / "FRAMES")
    for name in ("dive-0297", "dive", "frames"):
        shutil.copytree(folder / "demo/dataset/images/eval", folder / name)
    shutil.copy(next((folder / "dive-0297").iterdir()), folder / "dive-0297/00042.jpg")
    shutil.copy(next((folder / "dive-0297").iterdir()), folder / "dive-0297/00042.png")
    if importlib.util.find_spec("av") is not None:
        _write_video(folder / "dive.mp4", sorted((folder / "dive-0297").iterdir())[:6])
    with tarfile.open(folder / "frames.tar", "w") as archive:
        archive.add(folder / "dive-0297", "dive-0297")
    _write_archive(folder)
    _write_navigation(folder)


def _predict(folder: Path) -> None:
    from finding_nemo.models.bundle.bundle import load_bundle
    from finding_nemo.prediction.run.predict_to_file import predict_to_file
    from finding_nemo.prediction.sources.image_sources import collect_images

    images = collect_images(
        [str(folder / "demo/dataset/images/eval")], dive_pattern=r"(?P<dive>[a-z]+-\d+)-\d+"
    )
    bundle = load_bundle(folder / "demo/run/bundle")
    predict_to_file(bundle, images, folder / "predicted.parquet", with_embedding=True)


def _write_archive(folder: Path) -> None:
    """Write more frames than one piece of a run holds, each of a few pixels."""
    frames = sorted((folder / "dive-0297").iterdir())
    (folder / "ARCHIVE").mkdir()
    for number in range(300):
        with Image.open(frames[number % len(frames)]) as frame:
            frame.resize((32, 24)).save(folder / f"ARCHIVE/{number:03d}.png")


def _write_video(path: Path, frames: list[Path]) -> None:
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=1)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for frame in frames:
            pixels = np.asarray(Image.open(frame).convert("RGB").resize((320, 240)))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())


def _write_navigation(folder: Path) -> None:
    """Write where each frame was filmed, and what only the owner of a dive knows."""
    lines = ["file,latitude,longitude,depth_m,taken_at"]
    for number, path in enumerate(sorted((folder / "dive-0297").iterdir())):
        time = f"2015-05-01T10:{number // 60:02d}:{number % 60:02d}Z"
        lines.append(f"{path.name},36.7{number:03d},-122.05,{400 + number},{time}")
    (folder / "nav.csv").write_text("\n".join(lines) + "\n")
    (folder / "about.toml").write_text('title = "A dive"\nlicense = "CC BY 4.0"\n')


class Person:
    """Who follows a page in a folder, word by word."""

    def __init__(self, folder: Path, start: Callable[..., Any], patch: pytest.MonkeyPatch) -> None:
        self._folder, self._start, self._patch = folder, start, patch
        self._server: Any = None
        self._addresses: dict[str, str] = {}

    def know(self, elsewhere: Mapping[str, str]) -> None:
        """Take addresses that stand for those of the pages, and variables of the environment."""
        for name, value in elsewhere.items():
            if "://" in name:
                self._addresses[name] = value
            else:
                self._patch.setenv(name, value)

    def follow(self, block: Block) -> None:
        if block.is_file:
            Path(block.title).write_text(block.text)
            return
        for command in block.commands:
            self.carry_out(command)

    def carry_out(self, command: str) -> None:
        for address, here in self._addresses.items():
            command = command.replace(address, here)
        for card, processor in _CARDS:
            command = card.sub(processor, command)
        own = own_words(command.removesuffix("&"))
        if own is not None and own[0] in _SERVERS:
            self._serve(own)
        elif own is not None:
            self._run(own)
        elif command.startswith("curl "):
            self._ask(command)
        else:
            # They install, or are what the continuous integration does; another test reads them.
            assert command.split()[0] in ("make", "pip", "wait"), command

    def _run(self, words: list[str]) -> None:
        if words[0] == "demo":
            return  # the folder holds one, made with few frames
        words += _MADE_SMALLER.get(words[0], ())
        if "reviews.csv" in words and not Path("reviews.csv").exists():
            _review(self._folder)
        for share in _shares(words):
            expanded = [found for word in share for found in sorted(glob.glob(word)) or [word]]
            assert self._exit_code(expanded) in (0, None), expanded

    def _exit_code(self, words: list[str]) -> Any:
        if "--devices" in words:  # its processes start what started the first one
            program = Path(sys.executable).with_name("finding-nemo")
            return subprocess.run([program, *words], check=False).returncode
        self._patch.setattr(sys, "argv", ["finding-nemo", *words])
        with pytest.raises(SystemExit) as ended:
            main.run()
        return ended.value.code

    def _serve(self, words: list[str]) -> None:
        """Start a server, see its page, and end it; one that programs ask goes on."""
        left = [word for word in words[1:] if word != "--open"]
        if "--port" in left:
            at = left.index("--port")
            del left[at : at + 2]
        self._server = self._start(words[0], *left)
        assert self._server.ask("GET", "/health")[0] == 200

    def _ask(self, command: str) -> None:
        assert self._server is not None, "no server runs"
        address = f"127.0.0.1:{self._server.port}"
        words = words_of(_ADDRESS.sub(address, command))
        if shutil.which(words[0]) is None:
            pytest.skip("no curl")
        asked = subprocess.run([*words, "--fail", "--silent"], capture_output=True, check=False)
        assert asked.returncode == 0, asked.stderr


def _shares(words: list[str]) -> list[list[str]]:
    """Return the commands of all machines, where a page has the first one's: `--shard 1/8`."""
    if "--shard" not in words or not _FIRST_OF_MANY.fullmatch(words[words.index("--shard") + 1]):
        return [words]
    return [
        [_FIRST_OF_MANY.sub(f"{n}/2", word.replace("-1.", f"-{n}.")) for word in words]
        for n in (1, 2)
    ]


def _review(folder: Path) -> None:
    """Write reviews of a few frames, as the page of a review exports them."""
    with (folder / "demo/dataset/eval_truth.csv").open(encoding="utf-8") as stream:
        truth = list(csv.DictReader(stream))[:5]
    rows = [f'{row["id"]},"{row["categories"]}"' for row in truth]
    (folder / "reviews.csv").write_text("\n".join(["id,categories", *rows]) + "\n")
