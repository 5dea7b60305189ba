"""Heads of `patches` and `probe`, several trained at once on stored features.

Each head has its own training frames; all see the same batches and the same dropout, and each
weighs only the frames that are its own. One pass over the features then serves all, and what
differs between two heads is what they were trained on. Settings are those of the recipes, but
`patches` draws the features that dropout keeps for 16 frames together, so that the others need not
be computed, and is trained for fewer epochs.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from finding_nemo.core.arrays import Bools, Float32s, Ints
from finding_nemo.metrics.ranking import map_at_k
from finding_nemo.models.networks.frozen_patch_network import PatchSpread
from finding_nemo.training.optimization.ema import ExponentialMovingAverage
from finding_nemo.training.optimization.losses import UNKNOWN
from finding_nemo.training.optimization.optimizers import build_optimizer, set_learning_rate
from finding_nemo.training.recipes.settings import PatchesSettings, ProbeSettings

EMPTY_LOGIT = -4.0
TOP_K = 3
_FRAMES_A_MASK = 16


@dataclass(frozen=True)
class Stored:
    """Features of frames.

    Attributes:
        features: (frames, patches, features).
        means: Over patches, (frames, features).
    """

    features: npt.NDArray[np.float16]
    means: Float32s

    @classmethod
    def read(cls, path: Path) -> Stored:
        """Return what `patch_store.py` wrote; the means are kept beside it."""
        features = np.load(path, mmap_mode="r")
        at = path.with_name(f"means-{path.name}")
        if not at.exists():
            np.save(
                at,
                np.stack(
                    [torch.from_numpy(row.copy()).float().mean(0).numpy() for row in features]
                ),
            )
        return cls(features, np.load(at))


Views = tuple[Stored, npt.NDArray[np.int8]]


@dataclass(frozen=True)
class Heads:
    """What is trained at once.

    Attributes:
        own: Which training frames are each head's own, (heads, training frames).
        pasted: Heads that also learn from pasted views.
        whole_frame: Those of them whose image loss counts what was pasted.
    """

    own: Bools
    pasted: tuple[int, ...] = ()
    whole_frame: tuple[int, ...] = ()


class JointPatchHeads(nn.Module):
    """`FrozenPatchHeads` for several heads: logits (images, heads, categories)."""

    def __init__(
        self, priors: npt.NDArray[np.float64], spread: PatchSpread, dropout: float
    ) -> None:
        """Build them from each head's share of frames with each category, (heads, categories)."""
        super().__init__()
        self.n_heads, self.n_categories = priors.shape
        n_features, n_outputs = len(spread.mean), priors.size
        self.dropout = dropout
        self.global_weight = nn.Parameter(torch.zeros(n_outputs, n_features))
        first = 0.01 * torch.randn(self.n_categories, n_features)
        self.patch_weight = nn.Parameter(first.repeat(self.n_heads, 1))
        self.global_bias = nn.Parameter(
            torch.from_numpy(np.log(priors / (1 - priors))).float().view(-1)
        )
        self.patch_bias = nn.Parameter(torch.full((n_outputs,), EMPTY_LOGIT))
        self.gain = nn.Parameter(torch.ones(n_outputs))
        self.mean, self.std, self.patch_std = (
            torch.from_numpy(values) for values in (spread.mean, spread.std, spread.patch_std)
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return logits (images, heads x categories) in evaluation mode."""
        mean = features.mean(dim=1)
        weight = self.patch_weight / self.patch_std
        beside = functional.linear(features, weight) - functional.linear(mean, weight)[:, None]
        pooled = (beside + self.patch_bias).topk(TOP_K, dim=1).values.mean(dim=1)
        frame = (mean - self.mean) / self.std
        logits = functional.linear(frame, self.global_weight, self.global_bias)
        return logits + self.gain * (pooled - EMPTY_LOGIT) + EMPTY_LOGIT

    def learn(
        self,
        features: npt.NDArray[np.float16],
        mean_of: Float32s,
        columns: slice = slice(None),
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits (images, columns) and of patches (images, patches, columns), in training.

        Args:
            features: (images, patches, features); dropout keeps the same of all of them.
            mean_of: Over patches, (images, features).
            columns: Of the outputs.
        """
        n_features = features.shape[2]
        kept = torch.randperm(n_features)[: round((1 - self.dropout) * n_features)]
        mean = torch.from_numpy(mean_of)
        chosen = torch.from_numpy(features).index_select(2, kept).float()
        weight = self.patch_weight[columns].index_select(1, kept)
        weight = weight / (self.patch_std[kept] * (1 - self.dropout))
        offset = self.patch_bias[columns] - functional.linear(mean[:, kept], weight)
        patches = functional.linear(chosen, weight) + offset[:, None]
        frame = functional.dropout((mean - self.mean) / self.std, self.dropout)
        logits = functional.linear(frame, self.global_weight[columns], self.global_bias[columns])
        pooled = torch.logsumexp(patches, dim=1) - math.log(patches.shape[1])
        return logits + self.gain[columns] * (pooled - EMPTY_LOGIT), patches


def train_patch_heads(
    frames: Stored,
    targets: npt.NDArray[np.int8],
    train: Ints,
    val: Ints,
    heads: Heads,
    *,
    spread: PatchSpread,
    settings: PatchesSettings,
    views: Views | None = None,
) -> Callable[[Ints], Float32s]:
    """Train, and return what gives logits (heads, frames, categories) of rows of `frames`.

    Each head keeps the epoch whose averaged weights rank its validation frames best.

    Args:
        frames: Their features.
        targets: Of frames and patches, (frames, 1 + patches, categories): 0, 1 or -1, unknown.
        train: Rows to learn from; `heads.own` says which head learns from which.
        val: Rows that choose the epoch.
        heads: What is trained.
        spread: Of the training frames' features.
        settings: As the recipe's.
        views: Pasted views and what is known of them.
    """
    torch.manual_seed(0)
    truth = targets[:, 0] > 0
    priors = np.stack([_prior(truth[train[own]]) for own in heads.own])
    network = JointPatchHeads(priors, spread, settings.dropout)
    optimizer = build_optimizer(network, settings, {})
    ema = ExponentialMovingAverage(network, decay=settings.ema_decay)
    n_steps = math.ceil(len(train) / settings.batch_size)
    best, kept, step = np.full(len(heads.own), -1.0), copy.deepcopy(ema.tensors), 0
    generator = np.random.default_rng(0)
    for epoch in range(settings.epochs):
        network.train()
        order = generator.permutation(len(train))
        for rows in np.array_split(order, n_steps):
            set_learning_rate(optimizer, settings, step, n_steps)
            optimizer.zero_grad()
            _learn(network, frames, targets, train[rows], heads.own[:, rows], settings)
            if views is not None:
                drawn = np.sort(generator.choice(len(views[1]), _pasted_batch(views, n_steps)))
                _learn_pasted(network, views, drawn, heads, settings)
            optimizer.step()
            step += 1
            ema.update(step)
        with ema.applied():
            logits = _logits(network, frames.features, val)
        scores = np.array([map_at_k(truth[val], head) for head in logits])
        print(f"epoch {epoch + 1}:", *(f"{score:.4f}" for score in scores), flush=True)
        _keep(kept, ema.tensors, np.flatnonzero(scores > best), network.n_categories)
        best = np.maximum(best, scores)
    with torch.no_grad():
        for name, tensor in kept.items():
            network.get_parameter(name).copy_(tensor)
    return lambda rows: _logits(network, frames.features, rows)


def _prior(truth: Bools) -> npt.NDArray[np.float64]:
    counts = truth.sum(axis=0)
    share: npt.NDArray[np.float64] = np.clip(counts, 0.5, len(truth) - 0.5) / len(truth)
    return share


def _pasted_batch(views: Views, n_steps: int) -> int:
    """Return how many views a step shows: each once an epoch, in the mean."""
    return math.ceil(len(views[1]) / n_steps)


def _focal(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the terms of `patch_loss`, 0 where nobody knows."""
    signed = logits * (1 - 2 * targets.clamp_min(0))
    return functional.softplus(signed) * torch.sigmoid(signed) * (targets != UNKNOWN)


def _learn(
    network: JointPatchHeads,
    frames: Stored,
    targets: npt.NDArray[np.int8],
    rows: Ints,
    own: Bools,
    settings: PatchesSettings,
) -> None:
    """Add the gradients of a batch, a few frames at a time."""
    weight = torch.from_numpy(own.T.astype(np.float32))  # (images, heads)
    n_own = weight.sum(dim=0).clamp_min(1)
    present = torch.from_numpy((targets[rows, 1:] > 0).sum(axis=(1, 2)).astype(np.float32))
    n_present = torch.maximum((present[:, None] * weight).sum(dim=0), n_own)
    shape = (network.n_heads, network.n_categories)
    for start in range(0, len(rows), _FRAMES_A_MASK):
        some = slice(start, start + _FRAMES_A_MASK)
        logits, patches = network.learn(frames.features[rows[some]], frames.means[rows[some]])
        wanted = torch.from_numpy(targets[rows[some]]).float()
        image = functional.binary_cross_entropy_with_logits(
            logits.reshape(-1, *shape), wanted[:, :1].expand(-1, *shape), reduction="none"
        ).sum(dim=2)
        terms = _focal(patches.reshape(*patches.shape[:2], *shape), wanted[:, 1:, None]).sum(
            dim=(1, 3)
        )
        loss = image / n_own + settings.patch_loss_weight * terms / n_present
        (loss * weight[some]).sum().backward()  # type: ignore[no-untyped-call]


def _learn_pasted(
    network: JointPatchHeads, views: Views, drawn: Ints, heads: Heads, settings: PatchesSettings
) -> None:
    """Add the gradients of pasted views to those heads that learn from them."""
    first, count = heads.pasted[0], len(heads.pasted)  # pasted heads stand side by side
    width = network.n_categories
    columns = slice(first * width, (first + count) * width)
    logits, patches = network.learn(views[0].features[drawn], views[0].means[drawn], columns)
    wanted = torch.from_numpy(views[1][drawn]).float()
    terms = _focal(patches.reshape(*patches.shape[:2], count, width), wanted[:, 1:, None])
    n_present = (wanted[:, 1:] > 0).sum().clamp_min(len(drawn))
    # As many frames as the step's others would weigh as much; these are fewer.
    share = len(drawn) / settings.batch_size
    total = settings.patch_loss_weight * share * terms.sum() / n_present
    for head in heads.whole_frame:
        at = slice((head - first) * width, (head - first + 1) * width)
        known = functional.softplus(-logits[:, at]) * (wanted[:, 0] > 0)
        total = total + known.sum() / settings.batch_size
    total.backward()  # type: ignore[no-untyped-call]


@torch.inference_mode()
def _logits(network: JointPatchHeads, frames: npt.NDArray[np.float16], rows: Ints) -> Float32s:
    network.eval()
    parts = []
    for start in range(0, len(rows), 64):
        inputs = torch.from_numpy(frames[rows[start : start + 64]]).float()
        parts.append(network(inputs).numpy())
    logits = np.concatenate(parts).reshape(len(rows), network.n_heads, network.n_categories)
    return logits.swapaxes(0, 1)


def _keep(
    kept: dict[str, torch.Tensor], now: dict[str, torch.Tensor], better: Ints, width: int
) -> None:
    """Copy the rows of the heads that are better now."""
    for name, tensor in now.items():
        for head in better:
            rows = slice(head * width, (head + 1) * width)
            kept[name][rows] = tensor[rows]


class JointProbes(nn.Module):
    """`LinearProbe` for several heads."""

    def __init__(self, features: Float32s, priors: npt.NDArray[np.float64], dropout: float) -> None:
        """Build them on the spread of training features."""
        super().__init__()
        self.n_heads = len(priors)
        self.mean = torch.from_numpy(features.mean(axis=0))
        self.std = torch.from_numpy(np.maximum(features.std(axis=0), 1e-6))
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(features.shape[1], priors.size)
        nn.init.zeros_(self.linear.weight)
        with torch.no_grad():
            self.linear.bias.copy_(torch.from_numpy(np.log(priors / (1 - priors))).view(-1))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return logits (images, heads x categories)."""
        logits: torch.Tensor = self.linear(self.dropout((features - self.mean) / self.std))
        return logits


def train_probes(
    features: Float32s, truth: Bools, train: Ints, val: Ints, own: Bools, settings: ProbeSettings
) -> Float32s:
    """Train one probe a row of `own`, and return logits (heads, frames, categories) of all frames.

    Each keeps the epoch that ranks its validation frames best.
    """
    torch.manual_seed(0)
    n_categories = truth.shape[1]
    priors = np.stack([_prior(truth[train[mine]]) for mine in own])
    network = JointProbes(features[train], priors, settings.dropout)
    optimizer = build_optimizer(network, settings, {})
    n_steps = math.ceil(len(train) / settings.batch_size)
    best, out, step = np.full(len(own), -1.0), np.zeros((len(own), *truth.shape), np.float32), 0
    generator, inputs = np.random.default_rng(0), torch.from_numpy(features)
    wanted_of = torch.from_numpy(truth.astype(np.float32))
    for _ in range(settings.epochs):
        network.train()
        for rows in np.array_split(generator.permutation(len(train)), n_steps):
            set_learning_rate(optimizer, settings, step, n_steps)
            optimizer.zero_grad()
            shape = (len(own), n_categories)
            logits = network(inputs[train[rows]]).reshape(-1, *shape)
            wanted = wanted_of[train[rows]][:, None].expand_as(logits)
            terms = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
            weight = torch.from_numpy(own[:, rows].T.astype(np.float32))
            of_head = (terms.sum(dim=2) * weight).sum(dim=0) / weight.sum(dim=0).clamp_min(1)
            of_head.sum().backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            step += 1
        network.eval()
        with torch.inference_mode():
            logits = network(inputs).reshape(-1, len(own), n_categories).numpy().swapaxes(0, 1)
        scores = np.array([map_at_k(truth[val], head[val]) for head in logits])
        better = scores > best
        out[better], best = logits[better], np.maximum(best, scores)
    return out


def parts_by_dive(dives: Sequence[str], n_parts: int) -> Ints:
    """Return a part for each frame: whole dives, large ones first, each to the emptiest part."""
    names, counts = np.unique(np.asarray(dives, dtype=np.str_), return_counts=True)
    filled, part_of = np.zeros(n_parts, dtype=np.int64), {}
    for at in np.argsort(-counts, kind="stable"):
        part = int(np.argmin(filled))
        part_of[str(names[at])] = part
        filled[part] += counts[at]
    return np.array([part_of[str(dive)] for dive in dives], dtype=np.int64)
