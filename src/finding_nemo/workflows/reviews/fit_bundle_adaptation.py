"""A trained bundle's own numbers of the adaptation, by reviews simulated on validation dives."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from finding_nemo.adaptation.adaptation_settings import DEFAULTS
from finding_nemo.adaptation.files.true_dives import true_dives
from finding_nemo.adaptation.shrunk_settings import (
    LEAST_DIVES,
    NUMBERS,
    fit_own_settings,
    settings_to_json,
    too_few,
)
from finding_nemo.adaptation.simulate_reviews import MIN_FRAMES
from finding_nemo.core.records import Dataset, ImageRecord, Split
from finding_nemo.core.reporter import Reporter
from finding_nemo.models.bundle.adaptation_numbers import (
    adaptation_numbers,
    write_adaptation_numbers,
)
from finding_nemo.models.bundle.bundle import bundle_hash
from finding_nemo.prediction.run.predict_to_file import predict_to_file
from finding_nemo.prediction.sources.image_sources import input_of_record
from finding_nemo.training.loop.trained_run import TrainedRun

# 600 frames are predicted, 45 s of a processor with `nemo`; what is simulated on them takes as
# long again. Counts and not a clock: the bundle must not depend on how busy the machine is.
MOST_DIVES = 10
MOST_FRAMES = 60


def fit_bundle_adaptation(
    run: TrainedRun, dataset: Dataset, split: Split, reporter: Reporter
) -> TrainedRun:
    """Return the run with a bundle that holds numbers of its own, if its dives suffice.

    Args:
        run: That has ended.
        dataset: What it was trained on.
        split: With the part `val`; no frame of another part is looked at.
        reporter: Told what was chosen and why.
    """
    bundle = run.bundle
    if bundle.manifest.runner != "network" or adaptation_numbers(bundle) is not None:
        return run
    dives = validation_dives(dataset, split)
    if len(dives) < LEAST_DIVES:
        reporter.announce(NUMBERS, too_few(len(dives)))
        return run
    frames = [record for dive in dives for record in dive]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "validation.parquet"
        reporter.activity("simulating reviews on validation dives")
        predict_to_file(bundle, [input_of_record(r) for r in frames], out, with_embedding=True)
        found = reporter.announce(NUMBERS, fit_own_settings(true_dives(dataset, [out])))
    if found == DEFAULTS:
        return run
    bundle = write_adaptation_numbers(bundle, settings_to_json(found))
    return replace(run, bundle=bundle, bundle_hash=bundle_hash(bundle.path))


def validation_dives(dataset: Dataset, split: Split) -> list[Sequence[ImageRecord]]:
    """Return the first frames of the validation dives that are large enough, by their names.

    A dive that has frames in another part as well is passed over: it is no unseen one.
    """
    part_of = split.part_of
    dives: dict[str, list[ImageRecord]] = {}
    mixed = set()
    for record in dataset.annotated:
        if record.dive is None or record.image_id not in part_of:
            continue
        if part_of[record.image_id] == "val":
            dives.setdefault(record.dive, []).append(record)
        else:
            mixed.add(record.dive)
    kept = [dives[name] for name in sorted(set(dives) - mixed) if len(dives[name]) >= MIN_FRAMES]
    return [frames[:MOST_FRAMES] for frames in kept[:MOST_DIVES]]
