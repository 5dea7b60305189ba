"""Each kind of network recipe, made ready for the one loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.records import ImageRecord
from finding_nemo.models.backbones import freeze, load_backbone
from finding_nemo.models.export import export_onnx
from finding_nemo.models.networks import (
    LinearProbe,
    ProbeNetwork,
    basic_network,
    linear_on_pixels,
)
from finding_nemo.training.array_store import StoredRows
from finding_nemo.training.inputs import ReadyInputs, Tick, ready_features, ready_pixels
from finding_nemo.training.loop import Prepare
from finding_nemo.training.parts import Notify, Parts
from finding_nemo.training.pixels import PreparePixels
from finding_nemo.training.recipes import NetworkSettings, ProbeSettings

_PIXEL_NETWORKS = {"linear": linear_on_pixels, "basic": basic_network}
# A category without a training image still needs a finite logit: half an image.
_LEAST_IMAGES = 0.5


@dataclass(frozen=True)
class Ready:
    """A training, ready for the loop.

    Attributes:
        trained: What the loop trains.
        whole: From preprocessed pixels to the output; shares its weights with `trained`.
        preprocessing: What is done to pixels.
        prepare: From stored rows to what `trained` takes.
        train: Usable training images.
        val: Usable validation images.
    """

    trained: nn.Module
    whole: nn.Module
    preprocessing: Preprocessing
    prepare: Prepare
    train: ReadyInputs
    val: ReadyInputs


def set_up_network(settings: NetworkSettings, parts: Parts, *, notify: Notify, tick: Tick) -> Ready:
    """Return a network that is trained on pixels."""
    n_categories = len(parts.dataset.categories)
    mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    if settings.backbone in _PIXEL_NETWORKS:
        n_pixels = 3 * settings.width_px * settings.height_px
        network = _PIXEL_NETWORKS[settings.backbone](n_pixels, n_categories)
    else:
        loaded = load_backbone(
            settings.backbone, n_outputs=n_categories, pretrained=settings.pretrained
        )
        notify(f"backbone {settings.backbone}: {loaded.weights}.")
        network = loaded.network.to(memory_format=torch.channels_last)
        if settings.normalise:
            mean, std = loaded.mean, loaded.std
    preprocessing = Preprocessing(
        width_px=settings.width_px, height_px=settings.height_px, mean=mean, std=std
    )
    prepare = PreparePixels(
        preprocessing,
        cutout_px=settings.cutout_px,
        channels_last=settings.backbone not in _PIXEL_NETWORKS,
    )

    def ready(records: Sequence[ImageRecord]) -> ReadyInputs:
        return ready_pixels(records, preprocessing, tick=tick)

    return Ready(network, network, preprocessing, prepare, *_both(ready(parts.train), parts, ready))


def set_up_probe(settings: ProbeSettings, parts: Parts, *, notify: Notify, tick: Tick) -> Ready:
    """Return a linear head on frozen features."""
    loaded = load_backbone(settings.backbone, n_outputs=0, pretrained=settings.pretrained)
    notify(f"backbone {settings.backbone}: {loaded.weights}.")
    backbone = freeze(loaded.network)
    preprocessing = Preprocessing(
        width_px=settings.width_px, height_px=settings.height_px, mean=loaded.mean, std=loaded.std
    )
    with torch.inference_mode():
        example = torch.zeros(1, 3, settings.height_px, settings.width_px)
        n_features = int(backbone(example).shape[1])
    exported = export_onnx(backbone, preprocessing, output="features")

    def ready(records: Sequence[ImageRecord]) -> ReadyInputs:
        return ready_features(records, preprocessing, exported, n_features=n_features, tick=tick)

    train = ready(parts.train)
    head = _probe_head(train, parts, settings)
    whole = ProbeNetwork(backbone, head)
    return Ready(head, whole, preprocessing, _as_tensor, *_both(train, parts, ready))


def _both(
    train: ReadyInputs, parts: Parts, ready: Callable[[Sequence[ImageRecord]], ReadyInputs]
) -> tuple[ReadyInputs, ReadyInputs]:
    if not parts.val:
        nothing = StoredRows(train.rows.shards, np.empty((0, 2), dtype=np.int64))
        return train, ReadyInputs((), nothing, ())
    return train, ready(parts.val)


def _probe_head(train: ReadyInputs, parts: Parts, settings: ProbeSettings) -> LinearProbe:
    features = train.rows.take(np.arange(len(train.rows))).astype(np.float64)
    std = np.maximum(features.std(axis=0), 1e-6)
    counts = parts.dataset.truth(train.records).sum(axis=0)
    n_images = len(train.records)
    prior = np.clip(counts, _LEAST_IMAGES, n_images - _LEAST_IMAGES) / n_images
    return LinearProbe(
        features.mean(axis=0).astype(np.float32),
        std.astype(np.float32),
        prior,
        dropout=settings.dropout,
    )


def _as_tensor(rows: npt.NDArray[np.generic], generator: torch.Generator | None) -> torch.Tensor:
    del generator
    return torch.from_numpy(np.asarray(rows, dtype=np.float32))
