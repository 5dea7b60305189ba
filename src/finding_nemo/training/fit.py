"""A recipe from partition to bundle: build its task, train, export, check."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from finding_nemo.core.config import Settings
from finding_nemo.core.malloc import raise_malloc_thresholds
from finding_nemo.core.names.inference_names import BFLOAT16, RUNTIMES
from finding_nemo.core.provenance import dataset_provenance, now_utc, run_provenance
from finding_nemo.core.reporter import ProgressCallback
from finding_nemo.models.bundle.bundle import Bundle, load_bundle, write_bundle
from finding_nemo.models.bundle.manifest import BundleManifest, CategoryEvidence
from finding_nemo.models.bundle.uncertainty_tensors import Uncertainty, uncertainty_tensors
from finding_nemo.models.inference.runtime_choice import open_network
from finding_nemo.models.onnx_export.export_onnx import export_network
from finding_nemo.training.auto.hardware import (
    choose_device,
    choose_dtype,
    choose_matrix_products,
)
from finding_nemo.training.examples.array_cache import CACHE_VARIABLE, find_cache
from finding_nemo.training.examples.cached_inputs import tell_unusable
from finding_nemo.training.examples.partition import Partition, category_evidence, summarize_split
from finding_nemo.training.examples.samplers import sampling_order
from finding_nemo.training.loop.callbacks import TrainingStart
from finding_nemo.training.loop.epoch_log import EpochRow
from finding_nemo.training.loop.progress import EpochProgress
from finding_nemo.training.loop.run_context import RunContext
from finding_nemo.training.loop.run_folder import BUNDLE
from finding_nemo.training.loop.trainer import Trainer
from finding_nemo.training.packaging.baseline_bundle import write_baseline_bundle
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
from finding_nemo.training.packaging.judge_epochs import rankings_judge, sample_training_part
from finding_nemo.training.packaging.parity import check_parity
from finding_nemo.training.packaging.validation_summary import summarize_validation
from finding_nemo.training.recipes.registry import trainer_settings
from finding_nemo.training.recipes.settings import AnySettings
from finding_nemo.training.tasks.ancestors import with_ancestors
from finding_nemo.training.tasks.training_task import BaselineTask, TrainingTask, with_truth

Fitted = tuple[Bundle, tuple[EpochRow, ...]]
# Makes the run folder when the images are ready, told what stands for their content.
Begin = Callable[[str], None]
_LIBRARIES = ("numpy", "torch", "timm", *RUNTIMES, "pillow")


def fit_baseline(
    settings: AnySettings, partition: Partition, context: RunContext, begin: Begin
) -> Fitted:
    """Write the bundle of a baseline, which has nothing to train."""
    task: BaselineTask = context.recipe.builder()(settings, partition, context)
    begin("")
    context.callbacks.train_begin(_start(settings, partition, context))
    provenance = _provenance(partition, context)
    folder = context.folder / BUNDLE
    return write_baseline_bundle(folder, task.runner, partition, provenance=provenance), ()


def fit_network(
    settings: AnySettings, partition: Partition, context: RunContext, begin: Begin
) -> Fitted:
    """Train a network and write its bundle; see `train_recipe.train`.

    Of several processes one writes it, and all return it. `begin` is called when the images are
    ready, so that what is wrong before leaves nothing behind.
    """
    wanted, group, reporter = trainer_settings(settings), context.group, context.reporter
    kind = context.announce("device", choose_device(wanted.device))
    device = group.start(kind)
    dtype = context.announce("dtype", choose_dtype(wanted.dtype, kind))
    if kind == "cuda":
        products = context.announce("matrix products", choose_matrix_products(dtype))
        torch.set_float32_matmul_precision(products)
    reporter.message(f"batch size {wanted.batch_size}: the recipe's{group.in_words}.")
    _tell_cache(context)
    if raise_malloc_thresholds():
        reporter.detail("malloc thresholds raised: large buffers stay in the process.")
    torch.manual_seed(context.seed)
    with group.one_after_another():
        reporter.activity("opening the backbone")
        task: TrainingTask = context.recipe.builder()(settings, partition, context)
        task = with_ancestors(task, partition.dataset.categories.names, reporter)
        tell_unusable(task.train_inputs, task.val_inputs, reporter)
    begin(f"{task.train_inputs.content} {task.val_inputs.content}")
    group.barrier()
    trainer = replace(
        make_trainer(task, partition, context, device, is_bfloat16=dtype == BFLOAT16),
        training_sample=sample_training_part(task.train_inputs, partition),
        judge_rankings=rankings_judge(
            task.train_inputs, task.val_inputs, partition, activation=task.activation
        ),
    )
    if group.is_main:
        context.callbacks.train_begin(_start(task.settings, partition, context))
    with EpochProgress(task.settings.epochs, reporter) as progress:
        history = trainer.run(task.examples, with_truth(task.val_inputs, partition), progress)
    if group.is_main:
        provenance = {**_provenance(partition, context), "device": kind, "dtype": dtype}
        packing = _Packing(task, partition, context, trainer, history, provenance)
        with reporter.progress("calibrating on validation images") as shown:
            bundle = packing.finish(shown)
    group.barrier()
    return (bundle if group.is_main else load_bundle(context.folder / BUNDLE)), history


def _tell_cache(context: RunContext) -> None:
    cache = find_cache()
    why = f" ({cache.reason})" if cache.reason else ""
    context.reporter.message(f"cache {cache.folder}{why}: set {CACHE_VARIABLE} for another place.")


def _provenance(partition: Partition, context: RunContext) -> dict[str, Any]:
    return {
        **run_provenance(context.started, *_LIBRARIES),
        "seed": context.seed,
        **dataset_provenance(partition.dataset, context.folder),
    }


def _start(settings: Settings, partition: Partition, context: RunContext) -> TrainingStart:
    return TrainingStart(
        folder=context.folder,
        recipe=context.recipe.name,
        settings=settings.model_dump(),
        seed=context.seed,
        n_train=len(partition.train),
        n_val=len(partition.val),
    )


def make_trainer(
    task: TrainingTask,
    partition: Partition,
    context: RunContext,
    device: torch.device,
    *,
    is_bfloat16: bool,
) -> Trainer:
    """Return what trains a task; nothing but its loss is judged until the caller says how."""
    settings, records = task.settings, task.train_inputs.records
    return Trainer(
        network=task.network.to(device),
        settings=settings,
        prepare=task.prepare,
        loss=task.loss,
        device=device,
        autocast=is_bfloat16,
        folder=context.folder,
        seed=context.seed,
        rate_factors=task.rate_factors,
        group=context.group,
        micro_batch_size=task.micro_batch_size or settings.micro_batch_size or 0,
        checkpoint_every_s=context.checkpoint_every_s,
        order=sampling_order(
            settings.sampler,
            partition.dataset.truth(records),
            [record.dive_or_own for record in records],
        ),
        callbacks=context.callbacks,
    )


@dataclass(frozen=True)
class _Packing:
    """A trained network on its way into a bundle."""

    task: TrainingTask
    partition: Partition
    context: RunContext
    trainer: Trainer
    history: Sequence[EpochRow]
    provenance: Mapping[str, Any]

    def finish(self, progress: ProgressCallback) -> Bundle:
        """Fit what stands beside the network, write the bundle, and check it against torch."""
        task, partition, reporter = self.task, self.partition, self.context.reporter
        reporter.activity("exporting the network")
        network = self._exported()
        train, val = task.train_inputs, task.val_inputs
        evidence = category_evidence(replace(partition, train=train.records))
        val_truth = partition.dataset.truth(val.records)
        infer = self._batch_inference(network, progress)
        output = infer(val.rows, np.arange(len(val.rows)))
        uncertainty = fit_uncertainty(
            train,
            val,
            output,
            truths=(partition.dataset.truth(train.records), val_truth),
            evidence=evidence,
            activation=task.activation,
            infer=infer,
            reporter=reporter,
        )
        task.deployed.to("cpu")
        reporter.activity("writing the bundle and comparing it with torch")
        evidence = with_validation(evidence, val_truth, output.outputs)
        bundle = self._write(network, output.outputs, evidence, uncertainty)
        largest = check_parity(bundle, task.deployed, train.records, task.preprocessing)
        reporter.message(
            f"exported network equals torch to {largest:.1e} in its raw outputs, from image files."
        )
        return bundle

    def _exported(self) -> bytes:
        deployed = self.task.deployed.to("cpu")
        network = export_network(deployed, self.task.preprocessing)
        self.task.network.to(self.trainer.device)
        return network

    def _batch_inference(self, network: bytes, progress: ProgressCallback) -> BatchInference:
        """Return the faster way to compute the outputs of cached images."""
        task, trainer = self.task, self.trainer
        if trainer.device.type == "cpu" and task.network is task.deployed:
            opened = open_network(network, task.preprocessing)
            return partial(infer_with_runtime, opened, progress=progress)
        return partial(
            infer_with_torch,
            task.network,
            task.prepare,
            device=trainer.device,
            batch_size=trainer.settings.batch_size,
            progress=progress,
        )

    def _left_out(self) -> set[str]:
        """Return the ids of the images that could not be used."""
        task, partition = self.task, self.partition
        used = {r.image_id for r in (*task.train_inputs.records, *task.val_inputs.records)}
        return {r.image_id for r in (*partition.train, *partition.val)} - used

    def _write(
        self,
        network: bytes,
        outputs: npt.NDArray[np.float32],
        evidence: tuple[CategoryEvidence, ...],
        uncertainty: Uncertainty,
    ) -> Bundle:
        task, partition = self.task, self.partition
        best = max(self.history, key=lambda row: (row.map_at_20, -row.epoch), default=None)
        summary = summarize_validation(
            task.val_inputs.records,
            partition.dataset.truth(task.val_inputs.records),
            outputs if len(outputs) else np.empty((0, len(partition.dataset.categories))),
            partition.train_truth,
            best=best,
            uncertainty=uncertainty,
        )
        manifest = BundleManifest(
            recipe=self.context.recipe.name,
            built_as=task.built_as,
            runner="network",
            activation=task.activation,
            settings=task.settings.model_dump(exclude=set(task.unused)),
            categories=evidence,
            preprocessing=task.preprocessing,
            split=summarize_split(partition.split, self._left_out()),
            validation=summary,
            calibration=in_words(uncertainty.calibration),
            weights_origins=(task.weights_origin,),
            provenance={**self.provenance, "ended": now_utc()},
        )
        return write_bundle(
            self.context.folder / BUNDLE,
            manifest,
            weights=_arrays(task.deployed),
            novelty=uncertainty_tensors(uncertainty),
            network=network,
        )


def _arrays(network: nn.Module) -> dict[str, npt.NDArray[Any]]:
    return {name: tensor.detach().cpu().numpy() for name, tensor in network.state_dict().items()}
