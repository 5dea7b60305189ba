"""A user's exported network as a frozen backbone: torch sees its features, not its layers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace

import torch
from torch import nn

from finding_nemo.core.arrays import Float32s

_MOST_PREFIX_TOKENS = 16


class OnnxBackbone(nn.Module):
    """What timm's models have, over a network that torch cannot open.

    It has no weights that could be trained. Exported with heads on it, its graph is put before
    theirs as it is (`models/onnx_export`).
    """

    def __init__(
        self,
        run: Callable[[Float32s], Float32s],
        graph: bytes,
        *,
        cells_shape: Sequence[int],
        frame_px: tuple[int, int],
    ) -> None:
        """Wrap it.

        Args:
            run: From images (images, 3, height, width) to cells (images, *cells_shape).
            graph: The same as ONNX, from "images" to "cells".
            cells_shape: Of one image: (features,), (tokens, features) or (features, rows, columns).
            frame_px: Height and width of the frames.
        """
        super().__init__()
        self.graph = graph
        self.cells_shape = tuple(cells_shape)
        self.num_features = self.cells_shape[-1 if len(self.cells_shape) == 2 else 0]
        self.num_prefix_tokens = 0
        if len(self.cells_shape) == 2:
            self.num_prefix_tokens, grid = token_grid(self.cells_shape[0], frame_px)
            if grid is not None:
                self.patch_embed = SimpleNamespace(grid_size=grid)
        self._run = run
        self._given: list[torch.Tensor] = []

    def forward_features(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return cells (images, *cells_shape) of normalised pixels."""
        if self._given:
            return self._given[-1]
        found = self._run(pixels.detach().float().cpu().contiguous().numpy())
        return torch.from_numpy(found).to(pixels.device)

    def forward_head(self, cells: torch.Tensor) -> torch.Tensor:
        """Return the mean over cells (images, features), without tokens that are of no patch."""
        if cells.ndim == 4:
            return cells.mean(dim=(2, 3))
        if cells.ndim == 3:
            return cells[:, self.num_prefix_tokens :].mean(dim=1)
        return cells

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return features (images, features)."""
        return self.forward_head(self.forward_features(pixels))

    @contextmanager
    def giving(self, cells: torch.Tensor) -> Iterator[None]:
        """Let `forward_features` return `cells`, whatever the pixels."""
        self._given.append(cells)
        try:
            yield
        finally:
            self._given.pop()


class FromCells(nn.Module):
    """A network on an `OnnxBackbone`, from the backbone's cells on."""

    def __init__(self, network: nn.Module, backbone: OnnxBackbone) -> None:
        """Wrap `network`, which holds `backbone` or is it."""
        super().__init__()
        self.network = network
        self._backbone = [backbone]  # in a list: torch would count it as a second part

    def forward(self, cells: torch.Tensor) -> object:
        """Return what the network gives where its backbone gave `cells`."""
        with self._backbone[0].giving(cells):
            return self.network(cells)


def onnx_backbone_in(network: nn.Module) -> OnnxBackbone | None:
    """Return the backbone in `network` that is a user's ONNX file, if one is."""
    return next((m for m in network.modules() if isinstance(m, OnnxBackbone)), None)


def token_grid(n_tokens: int, frame_px: tuple[int, int]) -> tuple[int, tuple[int, int] | None]:
    """Return how many tokens stand before those of patches, and rows and columns of these.

    Patches are square and fill the frame, which leaves one possibility for frames that are no
    multiples of everything; of several the one with the fewest tokens in front is taken.

    Returns:
        0 and `None` where no square patch fits.
    """
    height, width = frame_px
    for n_prefix in range(min(_MOST_PREFIX_TOKENS, n_tokens - 1) + 1):
        patch_px = math.isqrt(height * width // (n_tokens - n_prefix))
        if not patch_px or height % patch_px or width % patch_px:
            continue
        rows, columns = height // patch_px, width // patch_px
        if rows * columns == n_tokens - n_prefix:
            return n_prefix, (rows, columns)
    return 0, None
