"""From labels and embeddings to the labels that a person should look at, most doubtful first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from finding_nemo.core.records import Dataset
from finding_nemo.core.reporter import Reporter
from finding_nemo.data.quality.file_check import NearPair
from finding_nemo.evaluation.label_errors.confident_learning import likely_errors, order_of_doubt
from finding_nemo.evaluation.label_errors.contradictions import Contradiction, find_contradictions
from finding_nemo.evaluation.label_errors.dive_neighbors import (
    NeighborsOfFrames,
    find_neighbors,
    label_shares,
)
from finding_nemo.evaluation.label_errors.labelled_frames import LabelledFrames, label_frames
from finding_nemo.evaluation.label_errors.out_of_fold import (
    combine_evidence,
    fold_of_dives,
    ridge_scores,
)
from finding_nemo.evaluation.label_errors.suspect_labels import (
    Describer,
    Evidence,
    SuspectLabel,
    probable_missing,
    without_suggested,
)
from finding_nemo.results.reading.embeddings import Embeddings

# One label in ten is listed: with 3 % of the labels replaced, these hold nearly all of them.
LISTED_SHARE = 0.1


@dataclass(frozen=True, kw_only=True)
class LabelErrors:
    """What was found in the labels of a data set.

    Attributes:
        n_frames: Frames whose labels were judged.
        n_labels: Their labels.
        wrong: Labels that are given and likely not there; a tenth of all, most doubtful first.
        missing: Labels that are not given and likely there, most doubtful first, as many at most.
        contradictions: Look-alike frames of different clips without a common label.
        notices: What was passed over or interpreted, in sentences.
    """

    n_frames: int
    n_labels: int
    wrong: tuple[SuspectLabel, ...]
    missing: tuple[SuspectLabel, ...]
    contradictions: tuple[Contradiction, ...]
    notices: tuple[str, ...] = ()

    @property
    def n_likely_wrong(self) -> int:
        """How many of `wrong` count as errors by the thresholds of confident learning."""
        return sum(label.is_likely for label in self.wrong)

    @property
    def n_likely_missing(self) -> int:
        """The same of `missing`."""
        return sum(label.is_likely for label in self.missing)


def find_label_errors(
    dataset: Dataset,
    embeddings: Embeddings,
    *,
    near: Sequence[NearPair] = (),
    reporter: Reporter | None = None,
) -> LabelErrors:
    """Rank the labels of a data set by how little other frames agree with them.

    Two kinds of evidence, neither of which knows the label itself: the most similar frames of the
    own dive, and a linear head that other dives trained together with other clips of the dive.

    Args:
        dataset: With labels and dives.
        embeddings: Of its images. A network that was trained on these very labels may have
            learned their errors; frozen features (recipe probe) have not.
        near: Look-alike frames of different dives, from `check_files`.
        reporter: Told what happens.

    Raises:
        DatasetError: If fewer than 20 annotated images have an embedding.
    """
    tell = reporter or Reporter()
    frames = label_frames(dataset, embeddings)
    tell.activity("comparing frames of each dive")
    neighbors = find_neighbors(frames.features, frames.dives, frames.clips)
    tell.activity("learning from other dives")
    evidence = weigh_evidence(frames, neighbors)
    n_labels = int(frames.labels.sum())
    n_listed = math.ceil(LISTED_SHARE * n_labels)
    describer = Describer(frames, dataset.categories, evidence)
    rows, columns = order_of_doubt(evidence.near, evidence.far, frames.labels, given=True)
    wrong = tuple(describer.describe("wrong", rows[:n_listed], columns[:n_listed]))
    rows, columns = order_of_doubt(evidence.near, evidence.far, frames.labels, given=False)
    chosen = np.flatnonzero(probable_missing(evidence, rows, columns))[:n_listed]
    missing = tuple(describer.describe("missing", rows[chosen], columns[chosen]))
    return LabelErrors(
        n_frames=len(frames.records),
        n_labels=n_labels,
        wrong=wrong,
        missing=tuple(without_suggested(missing, wrong)),
        contradictions=find_contradictions(
            frames, dataset.categories, neighbors.of_other_clips, near
        ),
        notices=(*frames.notices, *_one_dive(evidence)),
    )


def weigh_evidence(frames: LabelledFrames, neighbors: NeighborsOfFrames) -> Evidence:
    """Return what speaks for each label of frames, without the label itself.

    Args:
        frames: Laid beside their features.
        neighbors: The most similar frames of each, from `find_neighbors`.
    """
    near = label_shares(neighbors.of_any_clip, frames.labels)
    folds = fold_of_dives(frames.dive_names)
    far = None
    if len(np.unique(folds)) > 1:
        scores = ridge_scores(frames.features, frames.labels, folds)
        parts = [label_shares(neighbors.of_other_clips, frames.labels), scores]
        far = combine_evidence(parts, frames.labels, folds)
    return Evidence(
        near=near,
        far=far,
        neighbors=neighbors.of_any_clip,
        likely=likely_errors(near, frames.labels),
    )


def _one_dive(evidence: Evidence) -> tuple[str, ...]:
    if evidence.far is not None:
        return ()
    return ("all frames are of one dive: no other dive says whether a whole clip is wrong",)
