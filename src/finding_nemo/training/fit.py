"""A network recipe from parts to bundle: set up, loop, export, check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from finding_nemo.core.malloc import raise_malloc_thresholds
from finding_nemo.core.provenance import now_utc
from finding_nemo.core.reporter import Tell
from finding_nemo.models.bundle.bundle import Bundle, load_bundle, write_bundle
from finding_nemo.models.bundle.manifest import BundleManifest, CategoryEvidence
from finding_nemo.models.bundle.uncertainty_tensors import Uncertainty, uncertainty_tensors
from finding_nemo.models.inference.runtime_choice import open_network
from finding_nemo.models.networks.with_features import WithFeatures, has_features
from finding_nemo.models.onnx_export.export_onnx import export_onnx
from finding_nemo.training.auto.epoch_budget import with_auto_epochs
from finding_nemo.training.auto.hardware import choose_device, choose_dtype
from finding_nemo.training.examples.array_cache import CACHE_VARIABLE, find_cache
from finding_nemo.training.examples.cached_inputs import Tick, tell_unusable
from finding_nemo.training.examples.partition import Partition, category_evidence, summarize_split
from finding_nemo.training.loop.distributed import ProcessGroup
from finding_nemo.training.loop.epoch_log import EpochRow
from finding_nemo.training.loop.progress import EpochProgress, image_ticks
from finding_nemo.training.loop.trainer import Trainer
from finding_nemo.training.packaging.batch_inference import (
    BatchInference,
    infer_with_runtime,
    infer_with_torch,
)
from finding_nemo.training.packaging.fit_uncertainty import (
    fit_uncertainty,
    in_words,
    with_validation,
)
from finding_nemo.training.packaging.parity import check_parity
from finding_nemo.training.packaging.validation_summary import summarize_validation
from finding_nemo.training.recipes.fallback_without_boxes import settings_without_boxes
from finding_nemo.training.recipes.registry import (
    NemoSettings,
    NetworkSettings,
    PatchesSettings,
    ProbeSettings,
    TrainerSettings,
)
from finding_nemo.training.tasks.finetune import set_up_network, set_up_probe, set_up_small_animals
from finding_nemo.training.tasks.frozen_patches import set_up_patches
from finding_nemo.training.tasks.training_task import TrainingTask, examples


def fit_network(
    settings: TrainerSettings,
    partition: Partition,
    out: Path,
    recipe: str,
    *,
    seed: int,
    notify: Tell,
    show_progress: bool,
    provenance: dict[str, Any],
    group: ProcessGroup,
    begin: Callable[[str], None],
    checkpoint_every_s: float,
) -> tuple[Bundle, tuple[EpochRow, ...]]:
    """Train and write the bundle; see `train.train`.

    Of several processes one writes it, and all return it. `begin` makes the run folder: it is
    called when the images are ready, with what stands for them, so that what is wrong before
    leaves nothing behind.
    """
    device = choose_device(settings.device)
    place = group.start(device.value)
    dtype = choose_dtype(settings.dtype, device.value)
    notify(f"device {device.value}: {device.reason}.")
    notify(f"dtype {dtype.value}: {dtype.reason}.")
    settings = settings_without_boxes(settings, recipe, partition.train, notify)
    settings = with_auto_epochs(settings, partition.train, notify)
    notify(f"batch size {settings.batch_size}: the recipe's{group.in_words}.")
    cache = find_cache()
    why = f" ({cache.reason})" if cache.reason else ""
    notify(f"cache {cache.folder}{why}: set {CACHE_VARIABLE} for another place.")
    if raise_malloc_thresholds():
        notify("malloc thresholds raised: large buffers stay in the process.")
    torch.manual_seed(seed)
    with group.one_after_another():
        ready = _set_up(settings, partition, seed, notify, show_progress)
    begin(f"{ready.train.content} {ready.val.content}")
    group.barrier()
    loop = Trainer(
        network=ready.trained.to(place), settings=settings, prepare=ready.prepare,
        loss=ready.objective.loss,
        device=place, autocast=dtype.value == "bfloat16", folder=out, seed=seed,
        rate_factors=ready.rate_factors, group=group,
        micro_batch_size=ready.micro_batch_size or settings.micro_batch_size or 0,
        checkpoint_every_s=checkpoint_every_s,
    )  # fmt: skip
    history = _run(loop, ready, partition, show_progress)
    if group.is_main:
        with image_ticks("looking once more", shown=show_progress) as tick:
            bundle = _finish(loop, ready, partition, recipe, history, provenance, notify, tick=tick)
    group.barrier()
    return (bundle if group.is_main else load_bundle(out / "bundle")), history


def _run(
    loop: Trainer, ready: TrainingTask, partition: Partition, show_progress: bool
) -> tuple[EpochRow, ...]:
    with EpochProgress(loop.settings.epochs, shown=show_progress) as progress:
        return loop.run(ready.training, examples(ready.val, partition), progress)


def _finish(
    loop: Trainer,
    ready: TrainingTask,
    partition: Partition,
    recipe: str,
    history: tuple[EpochRow, ...],
    provenance: dict[str, Any],
    notify: Tell,
    *,
    tick: Tick,
) -> Bundle:
    """Fit what stands beside the network, write the bundle, and check it against torch."""
    settings = loop.settings
    network = _exported(ready, loop.device)
    evidence = category_evidence(replace(partition, train=ready.train.records))
    val_truth = partition.dataset.truth(ready.val.records)
    infer = _batch_inference(loop, ready, network, tick)
    output = infer(ready.val.rows, np.arange(len(ready.val.rows)))
    uncertainty = fit_uncertainty(
        ready.train, ready.val, output,
        truths=(partition.dataset.truth(ready.train.records), val_truth),
        evidence=evidence, activation=ready.objective.activation, infer=infer, notify=notify,
    )  # fmt: skip
    ready.whole.to("cpu")
    bundle = _write(
        loop.folder / "bundle", recipe, settings, partition, ready, network, output.outputs,
        history, provenance,
        evidence=with_validation(evidence, val_truth, output.outputs), uncertainty=uncertainty,
    )  # fmt: skip
    largest = check_parity(bundle, ready.whole, ready.train.records, ready.preprocessing)
    notify(f"exported network equals torch to {largest:.1e} in its raw outputs, from image files.")
    return bundle


def _exported(ready: TrainingTask, device: torch.device) -> bytes:
    ready.whole.to("cpu")
    both = has_features(ready.whole)
    network = export_onnx(
        WithFeatures(ready.whole) if both else ready.whole,
        ready.preprocessing,
        output="logits",
        second="features" if both else None,
    )
    ready.trained.to(device)
    return network


def _batch_inference(
    loop: Trainer, ready: TrainingTask, network: bytes, tick: Tick
) -> BatchInference:
    """Return the faster way to look at stored images once more."""
    if loop.device.type == "cpu" and ready.trained is ready.whole:
        return partial(infer_with_runtime, open_network(network, ready.preprocessing), tick=tick)
    return partial(
        infer_with_torch,
        ready.trained,
        ready.prepare,
        device=loop.device,
        batch_size=loop.settings.batch_size,
        tick=tick,
    )


def _set_up(
    settings: TrainerSettings, partition: Partition, seed: int, notify: Tell, show_progress: bool
) -> TrainingTask:
    with image_ticks("reading images", shown=show_progress) as tick:
        if isinstance(settings, ProbeSettings):
            ready = set_up_probe(settings, partition, notify=notify, tick=tick)
        elif isinstance(settings, NetworkSettings):
            ready = set_up_network(settings, partition, notify=notify, tick=tick)
        elif isinstance(settings, NemoSettings):
            ready = set_up_small_animals(settings, partition, seed=seed, notify=notify, tick=tick)
        elif isinstance(settings, PatchesSettings):
            ready = set_up_patches(settings, partition, notify=notify, tick=tick)
        else:
            raise TypeError(f"no way to train {type(settings).__name__}")
    tell_unusable(ready.train, ready.val, notify)
    return ready


def _write(
    folder: Path,
    recipe: str,
    settings: TrainerSettings,
    partition: Partition,
    ready: TrainingTask,
    network: bytes,
    outputs: npt.NDArray[np.float32],
    history: Sequence[EpochRow],
    provenance: dict[str, Any],
    *,
    evidence: tuple[CategoryEvidence, ...],
    uncertainty: Uncertainty,
) -> Bundle:
    best = max(history, key=lambda row: (row.map_at_20, -row.epoch), default=None)
    summary = summarize_validation(
        ready.val.records,
        partition.dataset.truth(ready.val.records),
        outputs if len(outputs) else np.empty((0, len(partition.dataset.categories))),
        partition.train_truth,
        best=best,
    )
    manifest = BundleManifest(
        recipe=recipe,
        runner="network",
        activation=ready.objective.activation,
        settings=settings.model_dump(exclude=set(ready.unused)),
        categories=evidence,
        preprocessing=ready.preprocessing,
        split=summarize_split(partition.split),
        validation=summary,
        calibration=in_words(uncertainty.calibration),
        provenance={**provenance, "ended": now_utc()},
    )
    return write_bundle(
        folder,
        manifest,
        weights=_arrays(ready.whole),
        novelty=uncertainty_tensors(uncertainty),
        network=network,
    )


def _arrays(network: nn.Module) -> dict[str, npt.NDArray[Any]]:
    return {name: tensor.detach().cpu().numpy() for name, tensor in network.state_dict().items()}
