"""What reduced decoding of 1920 x 1080 JPEG does to MAP@20: one network, both decoders."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from decoding import ours, usual
from large_frames import enlarged_jpeg

from finding_nemo.core.records import ImageRecord
from finding_nemo.metrics.bootstrap import paired_dive_bootstrap
from finding_nemo.metrics.ranking import average_precision_at_k
from finding_nemo.models.bundle.bundle import Bundle
from finding_nemo.models.inference.open_bundle_network import InferenceOptions, open_bundle_network


def compare(bundle: Bundle, records: Sequence[ImageRecord], truth: npt.NDArray[np.bool_]) -> str:
    """Return both MAP@20 and their difference, with its interval over dives, in a sentence."""
    network = open_bundle_network(bundle, InferenceOptions("float32"))
    rng = np.random.default_rng(0)
    outputs: dict[str, list[npt.NDArray[np.float32]]] = {"usual": [], "ours": []}
    for record in records:
        content = enlarged_jpeg(record.path, rng)
        for name, decode in (("usual", usual), ("ours", ours)):
            outputs[name].append(network.forward(decode(content)[np.newaxis]).outputs)
    found = {
        name: average_precision_at_k(truth, np.concatenate(rows)) for name, rows in outputs.items()
    }
    dives = [record.dive_or_own for record in records]
    change = paired_dive_bootstrap(found["ours"], found["usual"], dives)
    return (
        f"On {len(records)} enlarged frames of {len(set(dives))} dives never trained on, MAP@20 is "
        f"{np.nanmean(found['usual']):.4f} with Pillow's full decode and "
        f"{np.nanmean(found['ours']):.4f} with ours: {change.mean:+.4f} "
        f"(95 % by dive {change.interval.low:+.4f} to {change.interval.high:+.4f})."
    )
