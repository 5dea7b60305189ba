"""The usual way: Pillow, a DataLoader of two workers, eager PyTorch; files to Parquet vectors.

Run: python benchmarks/child_rival.py usual|best BUNDLE LIST OUT
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn
from torch.utils.data import DataLoader, Dataset

from finding_nemo.core.malloc import raise_malloc_thresholds
from finding_nemo.models.networks.backbones import freeze, load_backbone
from finding_nemo.models.networks.study_networks import LinearProbe


class Frames(Dataset[torch.Tensor]):
    """Files as normalised float32 tensors."""

    def __init__(self, paths: list[str]) -> None:
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, place: int) -> torch.Tensor:
        image = Image.open(self.paths[place]).convert("RGB")
        small = np.array(image.resize((224, 224), Image.Resampling.BILINEAR))
        return (torch.from_numpy(small).permute(2, 0, 1).float() / 255 - 0.5) / 0.5


def network_of(bundle: Path) -> nn.Module:
    tensors = load_file(bundle / "weights.safetensors")
    n_categories, n_features = tensors["1.linear.weight"].shape
    zeros = np.zeros(n_features, np.float32)
    head = LinearProbe(zeros, zeros + 1, np.full(n_categories, 0.5), dropout=0.0)
    body = load_backbone("tf_efficientnet_lite0", n_outputs=0, pretrained=False).network
    whole = nn.Sequential(body, head)
    whole.load_state_dict(tensors)
    return freeze(whole)


def main(mode: str, bundle: Path, listed: Path, out: Path) -> None:
    best = mode == "best"
    if best:
        raise_malloc_thresholds()
    order = torch.channels_last if best else torch.contiguous_format
    network = network_of(bundle).to(memory_format=order)
    paths = listed.read_text().split("\n")
    started = time.perf_counter()
    loader = DataLoader(Frames(paths), batch_size=8 if best else 32, num_workers=2)
    with torch.inference_mode():
        rows = [torch.sigmoid(network(x.contiguous(memory_format=order))) for x in loader]
    vectors = torch.cat(rows).numpy()
    column = pa.FixedSizeListArray.from_arrays(vectors.reshape(-1), vectors.shape[1])
    pq.write_table(pa.table({"path": paths, "vector": column}), out)
    print(json.dumps({"seconds": time.perf_counter() - started, "n": len(paths)}))


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:5]))
