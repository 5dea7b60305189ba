"""Two heads whose logits are added: one for the frame as a whole, one for each of its places."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

# What a place says of a category before training: about one place in 55 holds it.
_EMPTY_PLACE_LOGIT = -4.0


@dataclass(frozen=True)
class Judgement:
    """How two trained heads are weighed in prediction.

    Attributes:
        whole_share: What the frame as a whole weighs beside its places; 1 as in training.
        strongest_places: The mean of so many places speaks for all; 0 for the soft maximum over
            all of them, as in training.
    """

    whole_share: float
    strongest_places: int


AS_TRAINED = Judgement(whole_share=1.0, strongest_places=0)


class PlaceHeads(nn.Module):
    """A linear head on what the whole frame shows, and one on each place.

    An animal a few pixels wide fills one place and vanishes in a mean over hundreds: the second
    head takes the log-sum-exp over places, a soft maximum.

    Training needs both in full: the mean learns what has no box, and the soft maximum sends every
    place its share of the lesson. But what the frame as a whole says is mostly what its dive
    looked like, and a soft maximum over hundreds of places adds up what none of them says clearly.
    On a new dive both mislead, so prediction weighs the heads anew (`Judgement`).

    In evaluation mode it gives logits (images, categories); while training (images, categories x
    (1 + places)): the same logits, then those of each place.

    Source:
        Pinheiro and Collobert, "From Image-level to Pixel-level Labeling with Convolutional
        Networks", 2015, arXiv:1411.6228, for log-sum-exp over places.
    """

    def __init__(
        self, prior: npt.NDArray[np.float64], *, n_features: int, judgement: Judgement = AS_TRAINED
    ) -> None:
        """Build the heads, which start at class frequency.

        Args:
            prior: Share of training images that hold each category, in (0, 1).
            n_features: Width of what either head takes.
            judgement: How the heads are weighed in evaluation mode.
        """
        super().__init__()
        n_categories = len(prior)
        self.judgement = judgement
        self.whole = nn.Linear(n_features, n_categories)
        self.places = nn.Linear(n_features, n_categories)
        self.trust = nn.Parameter(torch.ones(n_categories))
        nn.init.zeros_(self.whole.weight)
        nn.init.normal_(self.places.weight, std=0.01)
        nn.init.constant_(self.places.bias, _EMPTY_PLACE_LOGIT)
        with torch.no_grad():
            self.whole.bias.copy_(torch.from_numpy(np.log(prior / (1 - prior))))

    def forward(self, whole: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        """Return logits, with those of each place while training.

        Args:
            whole: What the frame as a whole shows, (images, features).
            places: What each place shows, (images, places, features).
        """
        said: torch.Tensor = self.places(places)
        judgement = AS_TRAINED if self.training else self.judgement
        spoken = _of_all_places(said.float(), judgement.strongest_places)
        logits: torch.Tensor = judgement.whole_share * self.whole(whole)
        logits = logits + self.trust * (spoken - _EMPTY_PLACE_LOGIT)
        if judgement.strongest_places:
            # The clearest of many places speak up in empty frames too: without this, raw
            # probabilities are off by 0.23, with it by 0.01 (docs/experiments.md).
            logits = logits + _EMPTY_PLACE_LOGIT
        if not self.training:
            return logits
        return torch.cat([logits, said.flatten(1)], dim=1)


def _of_all_places(places: torch.Tensor, strongest: int) -> torch.Tensor:
    """Return one logit a category, (images, categories), of (images, places, categories)."""
    n_places = places.shape[1]
    if not strongest:
        return torch.logsumexp(places, dim=1) - math.log(n_places)
    return places.topk(min(strongest, n_places), dim=1).values.mean(dim=1)
