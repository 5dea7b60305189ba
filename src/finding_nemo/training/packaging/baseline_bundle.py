"""The two baselines that open no image, as bundles like any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np

from finding_nemo.metrics.baselines import frame_key, prior_scores, time_copy_scores
from finding_nemo.models.bundle.bundle import Bundle, write_bundle
from finding_nemo.models.bundle.manifest import BundleManifest
from finding_nemo.models.bundle.time_table import pack_time_table
from finding_nemo.training.examples.partition import Partition, category_evidence, summarize_split
from finding_nemo.training.packaging.validation_summary import (
    novelty_reference,
    summarize_validation,
)


def write_baseline_bundle(
    folder: Path,
    runner: Literal["prior", "time-copy"],
    partition: Partition,
    *,
    provenance: dict[str, Any],
) -> Bundle:
    """Fit a baseline to the training part and write its bundle."""
    truth = partition.train_truth
    keys = [frame_key(record) for record in partition.train]
    queries = [frame_key(record) for record in partition.val]
    if runner == "prior":
        scores = np.tile(prior_scores(truth), (len(queries), 1))
        weights = {"prior": prior_scores(truth)}
    else:
        scores = time_copy_scores(keys, truth, queries)
        weights = pack_time_table(keys, truth)
    val_truth = partition.dataset.truth(partition.val)
    manifest = BundleManifest(
        recipe=runner,
        runner=runner,
        settings={},
        categories=category_evidence(partition),
        preprocessing=None,
        split=summarize_split(partition.split),
        validation=summarize_validation(partition.val, val_truth, scores, truth),
        weights_origins=(),
        provenance=provenance,
    )
    return write_bundle(folder, manifest, weights=weights, novelty=novelty_reference(scores))
