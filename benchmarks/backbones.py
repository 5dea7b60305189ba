"""What backbones of many kinds cost a frame: parameters, processor time and memory.

    python benchmarks/backbones.py [NAME ...]

Weights are random, which changes neither time nor memory, so nothing is loaded from a network.
Each backbone takes the frames nearest to the usual 480 x 352 px that it can take, and its features
of patches (or of the frame, where it has no patches) are exported as the recipes do. A process of
its own, without torch, then computes frames one after the other on one thread; counted is its
processor time, which other programs on the machine hardly change.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.models.inference.runtime_choice import open_network

WANTED_PX = (352, 480)
N_FRAMES = 7
NAMES = (
    "tf_efficientnet_lite0",
    "tf_efficientnet_lite2",
    "mobilenetv4_conv_small",
    "convnext_tiny",
    "convnextv2_tiny",
    "vit_small_patch16_224",
    "vit_base_patch16_siglip_224",
    "vit_small_patch14_reg4_dinov2",
    "vit_base_patch14_reg4_dinov2",
    "vit_small_patch16_dinov3",
    "eva02_small_patch14_224",
    "swin_tiny_patch4_window7_224",
    "swinv2_tiny_window8_256",
    "maxvit_tiny_tf_224",
    "coatnet_0_rw_224",
    "vit_small_r26_s32_224",
)


def export(name: str, out: Path) -> str:
    """Write the backbone's network to `out` and return a row: parameters, frames, patches."""
    import torch

    from finding_nemo.core.errors import SettingsError
    from finding_nemo.models.networks.backbones import frames_for, freeze, load_backbone
    from finding_nemo.models.networks.frozen_patch_network import PatchFeatures
    from finding_nemo.models.networks.patch_network import patch_grid
    from finding_nemo.models.onnx_export.export_onnx import export_onnx

    torch.set_num_threads(1)
    height, width = frames_for(name, WANTED_PX)
    loaded = load_backbone(name, n_outputs=0, pretrained=False, frame_px=(height, width))
    network: torch.nn.Module = freeze(loaded.network)
    module = network
    try:
        rows, columns = patch_grid(network, width_px=width, height_px=height)
        grid, module = f"{rows} x {columns}", PatchFeatures(network)
    except SettingsError:
        grid = "none"
    spec = Preprocessing(width_px=width, height_px=height)
    out.write_bytes(export_onnx(module, spec, output="patches"))
    millions = sum(each.numel() for each in network.parameters()) / 1e6
    return f"{name}\t{millions:.1f}\t{width} x {height}\t{grid}"


def compute(path: Path, width_px: int, height_px: int) -> str:
    """Return the processor time of a frame in ms, and the memory that the network takes in MB."""
    spec = Preprocessing(width_px=width_px, height_px=height_px)
    content = path.read_bytes()
    pixels = np.random.default_rng(0).integers(0, 256, (1, height_px, width_px, 3), dtype=np.uint8)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    network = open_network(content, spec, workers=1)
    network.forward(pixels)
    times = []
    for _ in range(N_FRAMES):
        start = time.process_time()
        network.forward(pixels)
        times.append(time.process_time() - start)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    runtime = network.choice.runtime
    return f"{1e3 * statistics.median(times):.0f}\t{grown / 1024:.0f}\t{runtime}"


def in_child(*words: str) -> str:
    """Return what this program prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, *words], check=True, capture_output=True, text=True
    )
    return done.stdout.strip().splitlines()[-1]


def main() -> None:
    """Print one row a backbone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(NAMES))
    parser.add_argument("--export", type=Path, default=None, help=argparse.SUPPRESS)
    parser.add_argument("--compute", nargs=3, default=None, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.compute:
        path, width, height = asked.compute
        print(compute(Path(path), int(width), int(height)))
        return
    if asked.export is not None:
        print(export(asked.names[0], asked.export))
        return
    print("name\tM parameters\tframes\tpatches\tms a frame\tMB\truntime")
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "network.onnx"
        for name in asked.names:
            row = in_child(name, "--export", str(path))
            width, height = row.split("\t")[2].split(" x ")
            print(row, in_child("--compute", str(path), width, height), sep="\t", flush=True)


if __name__ == "__main__":
    main()
