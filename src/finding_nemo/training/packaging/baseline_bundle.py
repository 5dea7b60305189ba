"""The two baselines that open no image, as bundles like any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np

from finding_nemo.metrics.baselines import frame_key, prior_scores, time_copy_scores
from finding_nemo.models.bundle.bundle import Bundle, write_bundle
from finding_nemo.models.bundle.manifest import BundleManifest
from finding_nemo.models.bundle.time_table import pack_time_table
from finding_nemo.training.examples.partition import Parts, category_evidence, split_story
from finding_nemo.training.packaging.validation_summary import novelty_reference, validation_story


def write_unseen_bundle(
    folder: Path, kind: Literal["prior", "time-copy"], parts: Parts, *, provenance: dict[str, Any]
) -> Bundle:
    """Fit a baseline to the training part and write its bundle."""
    truth = parts.train_truth
    keys = [frame_key(record) for record in parts.train]
    queries = [frame_key(record) for record in parts.val]
    if kind == "prior":
        scores = np.tile(prior_scores(truth), (len(queries), 1))
        weights = {"prior": prior_scores(truth)}
    else:
        scores = time_copy_scores(keys, truth, queries)
        weights = pack_time_table(keys, truth)
    val_truth = parts.dataset.truth(parts.val)
    manifest = BundleManifest(
        recipe=kind,
        runner=kind,
        settings={},
        categories=category_evidence(parts),
        preprocessing=None,
        split=split_story(parts.split),
        validation=validation_story(parts.val, val_truth, scores, truth),
        provenance=provenance,
    )
    return write_bundle(folder, manifest, weights=weights, novelty=novelty_reference(scores))
