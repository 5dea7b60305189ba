"""Judged frames that the bundle was trained on, whose score says nothing."""

from __future__ import annotations

from dataclasses import replace

from finding_nemo.core.records import Split
from finding_nemo.core.text.plurals import in_number
from finding_nemo.evaluation.evaluation_results import Evaluation


def warned_of_trained_frames(found: Evaluation, split: Split | None) -> Evaluation:
    """Return the evaluation with a first notice of frames that were trained on, if any was.

    Args:
        found: The evaluation.
        split: What the bundle was trained with; `None` where nobody knows.
    """
    warning = "" if split is None else trained_frames_warning(found, split)
    return replace(found, notices=(f"WARNING: {warning}", *found.notices)) if warning else found


def trained_frames_warning(found: Evaluation, split: Split) -> str:
    """Return what a person should know of judged frames that were trained on, "" if none was.

    A frame is known by its id, and by its dive where both sides say one: two dives may have frames
    of one name.

    Args:
        found: The evaluation.
        split: What the bundle was trained with.
    """
    trained = set(split.training_ids_for("test"))
    dives = {row.image_id: row.dive for row in split.rows if row.image_id in trained}
    scored = [image for image in found.images if image.true_ids]
    known = [(image.dive, dives[image.image_id]) for image in scored if image.image_id in dives]
    n_trained = sum(here == there or not here or not there for here, there in known)
    if not n_trained:
        return ""
    which = "all" if n_trained == len(scored) else f"{n_trained:,}"
    return (
        f"The bundle was trained on {which} of the {in_number(len(scored), 'judged frame')}: a "
        "score on frames that it was trained on says nothing of new dives."
    )
