"""Training and prediction on this device, each beside what the device alone could do: one table.

Run: python benchmarks/gpu.py [--size card|short|tiny] [--device auto|cpu|cuda] [--only WORD]

It needs no network and no data: frames are drawn, and weights are random, which costs the same.
Each row is measured in a process of its own; one that fails, or for which the time (--budget
seconds, 8 minutes by default) does not suffice, is a row that says so.

train      images/s of the recipe's own loop in its second epoch, beside the same step on tensors
           that lie on the device already
predict    images/s from JPEG files of 1920 x 1080 to Parquet, and from arrays in memory, beside the
           network alone, fed by as many threads
decode     JPEG files decoded and resized by every core, beside files to Parquet: what share of its
           time decoding alone would take

Memory is the most that torch had on the card in training; in prediction on a card what nvidia-smi
says of it at the end; else the most that the process had.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from timing import machine, table

from finding_nemo.core.arrays import Float32s
from finding_nemo.core.processes.cores import usable_cores

if TYPE_CHECKING:
    from finding_nemo.core.preprocessing import Preprocessing
    from finding_nemo.models.inference.pixel_network import PixelNetwork
    from finding_nemo.training.examples.examples import TrainingExamples
    from finding_nemo.training.loop.trainer import Trainer

Row = dict[str, Any]
_HEADER = ("what", "images/s", "beside it", "images/s of that", "share", "peak memory, MB")


@dataclass(frozen=True)
class Size:
    """How much is measured.

    Attributes:
        drawn: Frames that are drawn.
        dives: On so many dives.
        recipes: What is trained.
        batches: Steps of an epoch.
        large: Different JPEG files of 1920 x 1080.
        predicted: Files and arrays that are predicted.
        seconds: How long the network alone is measured.
        changes: By recipe, settings that fit the size.
    """

    drawn: int
    dives: int
    recipes: tuple[str, ...]
    batches: int
    large: int
    predicted: int
    seconds: float
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


_ALL = ("probe", "patches", "nemo", "nemo-finetune")
_SMALL_FRAME = {"width_px": 96, "height_px": 64, "batch_size": 4}
SIZES = {
    "card": Size(240, 12, _ALL, 40, large=32, predicted=6000, seconds=8),
    "short": Size(
        48, 8, _ALL, 3, large=8, predicted=64, seconds=3,
        changes={"nemo-finetune": {"batch_size": 2}},
    ),
    "tiny": Size(
        24, 8, ("probe", "nemo"), 1, large=2, predicted=4, seconds=0.1,
        changes={"probe": {"batch_size": 4}, "nemo": _SMALL_FRAME},
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Repeated:
    """Examples shown again and again, so that an epoch is long enough to be timed."""

    examples: TrainingExamples
    n_images: int

    def __len__(self) -> int:
        return self.n_images

    def batch(
        self, chosen: npt.NDArray[np.int64], epoch: int
    ) -> tuple[npt.NDArray[np.generic], Float32s]:
        """Return a batch; other rounds through the images are other epochs, with other views."""
        n = len(self.examples)
        return self.examples.batch(chosen % n, epoch + int(chosen[0]) // n)


def train_rows(scratch: Path, size: Size, device: str, recipe: str) -> list[Row]:
    """Train two epochs; return the rate of the second beside that of the step alone."""
    from finding_nemo import read_dataset
    from finding_nemo.core.names.inference_names import BFLOAT16
    from finding_nemo.core.reporter import Reporter
    from finding_nemo.training.auto.hardware import choose_device, choose_dtype
    from finding_nemo.training.examples.partition import make_partition
    from finding_nemo.training.examples.samplers import shuffled_order
    from finding_nemo.training.fit import make_trainer
    from finding_nemo.training.loop.progress import EpochProgress
    from finding_nemo.training.loop.run_context import RunContext
    from finding_nemo.training.recipes.registry import (
        find_recipe,
        recipe_settings,
        trainer_settings,
    )
    from finding_nemo.training.tasks.training_task import with_truth

    reporter = Reporter(_say)
    context = RunContext(folder=scratch / recipe, recipe=find_recipe(recipe), reporter=reporter)
    context.folder.mkdir()
    dataset = read_dataset(scratch / "dataset")
    changes = {"pretrained": False, "device": device, **size.changes.get(recipe, {}), "epochs": 2}
    settings = recipe_settings(context.recipe, changes)
    kind = choose_device(device).value
    dtype = choose_dtype(trainer_settings(settings).dtype, kind).value
    partition = make_partition(dataset, None, fold=None, seed=0, reporter=reporter)
    task = context.recipe.builder()(settings, partition, context)
    trainer = replace(
        make_trainer(
            task, partition, context, context.group.start(kind), is_bfloat16=dtype == BFLOAT16
        ),
        order=shuffled_order,
    )
    shown = Repeated(task.examples, size.batches * task.settings.batch_size)
    with EpochProgress(2, reporter) as progress:
        history = trainer.run(shown, with_truth(task.val_inputs, partition), progress)
    memory, spec = peak_mb(kind), task.preprocessing
    name = f"{recipe}, {spec.width_px} x {spec.height_px}, batch {task.settings.batch_size}"
    row = {
        "what": f"train {name}, {dtype} on {kind}",
        "rate": history[-1].images_per_s,
        "beside": "the step alone",
        "alone": step_rate(trainer, task.examples, size.batches),
        "memory": memory,
    }
    return [row]


def step_rate(trainer: Trainer, examples: TrainingExamples, n_steps: int) -> float:
    """Return images/s of the trainer's step on one batch that lies on the device."""
    import torch

    from finding_nemo.training.optimization.ema import ExponentialMovingAverage
    from finding_nemo.training.optimization.grad_accumulation import split_micro_batches
    from finding_nemo.training.optimization.optimizers import build_optimizer

    n_images = trainer.settings.batch_size
    rows, truth = examples.batch(np.arange(n_images) % len(examples), 1)
    inputs = trainer.prepare(rows, None).to(trainer.device)
    targets = torch.from_numpy(truth).to(trainer.device)
    optimizer = build_optimizer(trainer.network, trainer.settings, trainer.rate_factors)
    ema = ExponentialMovingAverage(trainer.network, decay=trainer.settings.ema_decay)
    trainer.network.train()

    def step(number: int) -> None:
        optimizer.zero_grad(set_to_none=True)
        for part in split_micro_batches(n_images, trainer.micro_batch_size):
            with torch.autocast(trainer.device.type, torch.bfloat16, enabled=trainer.autocast):
                outputs = trainer.network(inputs[part])
            trainer.loss(outputs.float(), targets[part]).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        ema.update(number + 1)

    is_card = trainer.device.type == "cuda"
    wait: Callable[[], object] = torch.cuda.synchronize if is_card else lambda: None
    step(0)
    wait()
    started = time.perf_counter()
    for number in range(n_steps):
        step(number + 1)
    wait()
    return n_images * n_steps / (time.perf_counter() - started)


def peak_mb(kind: str) -> float:
    """Return the most memory that torch had on the card, or else the process."""
    import torch

    if kind == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def predict_rows(scratch: Path, size: Size, device: str, recipe: str) -> list[Row]:
    """Predict files and arrays; return both rates beside the network's and the decoder's."""
    from finding_nemo.models.bundle.bundle import load_bundle
    from finding_nemo.models.inference.open_bundle_network import (
        InferenceOptions,
        open_bundle_network,
    )
    from finding_nemo.prediction.predictor import Predictor
    from finding_nemo.prediction.run.predict_to_file import predict_to_file
    from finding_nemo.prediction.sources.image_sources import collect_images
    from finding_nemo.prediction.sources.prepared_image import prepare_image

    bundle = load_bundle(make_bundle(scratch, size, recipe))
    spec = bundle.preprocessing
    frames = sorted((scratch / "large").iterdir())
    paths = [frames[i % len(frames)] for i in range(size.predicted)]
    prepared = [prepare_image(path, spec).pixels for path in frames]
    arrays = [prepared[i % len(prepared)] for i in range(size.predicted)]
    options = InferenceOptions(device=device)
    network = open_bundle_network(bundle, options)
    alone = network_rate(network, spec, size.seconds)
    links, out = collect_images([str(linked(paths))]), scratch / f"{recipe}.parquet"
    files = rate_of(size.predicted, lambda: predict_to_file(bundle, links, out, network=options))
    predictor = Predictor(bundle, network=options)
    list(predictor.predict(arrays[: len(frames)]))
    memory = rate_of(size.predicted, lambda: list(predictor.predict(arrays)))
    decode = partial(prepare_image, preprocessing=spec, in_threads=True)
    with ThreadPoolExecutor(usable_cores()) as pool:
        decoded = rate_of(size.predicted, lambda: list(pool.map(decode, paths)))
    choice = network.choice
    name = f"{recipe}, {spec.width_px} x {spec.height_px}, {choice.dtype} on {choice.device}"
    peak = card_mb() if choice.device != "cpu" else peak_mb("cpu")
    beside = f"the network alone ({choice.runtime})"
    return [
        {"what": f"predict {name}, JPEG files to Parquet", "rate": files, "beside": beside,
         "alone": alone, "memory": peak},
        {"what": f"predict {name}, arrays in memory", "rate": memory, "beside": beside,
         "alone": alone, "memory": peak},
        {"what": f"decode 1080p JPEG for it, {usable_cores()} cores", "rate": decoded,
         "beside": "files to Parquet need of that", "alone": files, "memory": peak,
         "share": files / decoded},
    ]  # fmt: skip


def make_bundle(scratch: Path, size: Size, recipe: str) -> Path:
    """Train one epoch from random weights on the drawn frames."""
    from finding_nemo import read_dataset, train

    changes = {"pretrained": False, **size.changes.get(recipe, {}), "epochs": 1}
    run = train(
        read_dataset(scratch / "dataset"),
        out=scratch / f"run-{recipe}",
        recipe=recipe,
        settings=changes,
    )
    return run.folder


def network_rate(network: PixelNetwork, spec: Preprocessing, seconds: float) -> float:
    """Return images/s of an open network that as many threads feed as prediction has."""
    shape = (max(network.batch_size, 8), spec.height_px, spec.width_px, 3)
    pixels = np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)
    network.forward(pixels)
    until = time.perf_counter() + seconds

    def feed(_: int) -> int:
        n_images = 0
        while not n_images or time.perf_counter() < until:
            network.forward(pixels)
            n_images += len(pixels)
        return n_images

    started = time.perf_counter()
    with ThreadPoolExecutor(network.workers) as pool:
        n_images = sum(pool.map(feed, range(network.workers)))
    return n_images / (time.perf_counter() - started)


def rate_of(n_images: int, job: Callable[[], object]) -> float:
    started = time.perf_counter()
    job()
    return n_images / (time.perf_counter() - started)


def linked(paths: list[Path]) -> Path:
    """Return a folder of links to files, some of which are there more than once."""
    folder = Path(tempfile.mkdtemp(dir=paths[0].parents[1]))
    for number, path in enumerate(paths):
        (folder / f"{number:06d}.jpg").symlink_to(path)
    return folder


def card_mb() -> float:
    """Return the memory that is taken on the card; what a runtime has taken it keeps."""
    return float(_asked_of_card("memory.used").split()[0])


def _asked_of_card(query: str) -> str:
    command = ["nvidia-smi", f"--query-gpu={query}", "--format=csv,noheader,nounits"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def draw(scratch: Path, size: Size) -> None:
    """Draw a data set, and enlarge some of its frames."""
    from PIL import Image

    from finding_nemo.synthetic.write_dataset import draw_dataset

    workers = min(usable_cores(), 8)
    folder = draw_dataset(scratch / "dataset", dives=size.dives, images=size.drawn, workers=workers)
    (scratch / "large").mkdir()
    for source in sorted(folder.rglob("*.jpg"))[: size.large]:
        with Image.open(source) as frame:
            frame.resize((1920, 1080)).save(scratch / "large" / source.name, quality=90)


def measured(command: list[str], left_s: float) -> list[Row]:
    """Return the rows of a process, or one that says why there are none."""
    what = command[-1].replace(":", " ")
    if left_s <= 0:
        return [{"what": what, "beside": "not measured: no time was left"}]
    try:
        done = subprocess.run(
            [sys.executable, __file__, *command],
            stdout=subprocess.PIPE, text=True, check=False, timeout=left_s,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return [{"what": what, "beside": "not measured: it was stopped when no time was left"}]
    if done.returncode:
        return [{"what": what, "beside": f"not measured: it ended with exit {done.returncode}"}]
    rows: list[Row] = json.loads(done.stdout.splitlines()[-1])
    return rows


def cells(row: Row) -> list[str]:
    """Return a row as the table shows it; nothing stands where nothing was measured."""
    if "rate" not in row:
        return [row["what"], "", row["beside"], "", "", ""]
    share = row.get("share", row["rate"] / row["alone"])
    return [row["what"], f"{row['rate']:.1f}", row["beside"], f"{row['alone']:.1f}",
            f"{share:.0%}", f"{row['memory']:.0f}"]  # fmt: skip


def card() -> str:
    """Return the card and its driver in a sentence, or that there is none."""
    with suppress(OSError, subprocess.CalledProcessError):
        return f"Card: {_asked_of_card('name,driver_version').splitlines()[0]}."
    return "No card: every row was computed by the CPU."


_say = partial(print, file=sys.stderr, flush=True)


def main() -> None:
    asked = _arguments()
    size = SIZES[asked.size]
    if asked.row:
        kind, name = asked.row.split(":")
        rows_of = train_rows if kind == "train" else predict_rows
        print(json.dumps(rows_of(Path(asked.scratch), size, asked.device, name)))
        return
    until = time.monotonic() + asked.budget
    names = [f"train:{name}" for name in size.recipes]
    names += ["predict:probe", *(["predict:patches"] if "patches" in size.recipes else [])]
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["FINDING_NEMO_CACHE"] = f"{scratch}/cache"
        _say("drawing frames")
        draw(Path(scratch), size)
        rows: list[Row] = []
        for name in names:
            if asked.only not in name:
                continue
            _say(name)
            command = ["--size", asked.size, "--device", asked.device, "--scratch", scratch]
            found = measured([*command, "--row", name], until - time.monotonic())
            _say(found)
            rows += found
    print(f"Size {asked.size}. {card()} {machine()}\n")
    print(table(_HEADER, [cells(row) for row in rows]))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="card")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--only", default="", metavar="WORD", help="rows whose name holds it")
    parser.add_argument("--budget", type=float, default=470.0, metavar="SECONDS")
    parser.add_argument("--row", default="", help=argparse.SUPPRESS)
    parser.add_argument("--scratch", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
