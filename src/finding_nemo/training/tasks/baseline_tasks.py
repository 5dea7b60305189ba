"""The two baselines: they open no image, so there is nothing to train."""

from __future__ import annotations

from finding_nemo.training.examples.partition import Partition
from finding_nemo.training.loop.run_context import RunContext
from finding_nemo.training.recipes.settings import BaselineSettings
from finding_nemo.training.tasks.training_task import BaselineTask


def build_prior_task(
    settings: BaselineSettings, partition: Partition, context: RunContext
) -> BaselineTask:
    """Return the task of class frequency."""
    del settings, partition, context
    return BaselineTask("prior")


def build_time_copy_task(
    settings: BaselineSettings, partition: Partition, context: RunContext
) -> BaselineTask:
    """Return the task of copying the nearest training frame in time of the same dive."""
    del settings, partition, context
    return BaselineTask("time-copy")
