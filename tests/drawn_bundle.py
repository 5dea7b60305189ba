"""A bundle whose network nobody trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.models.bundle.bundle import write_bundle
from finding_nemo.models.bundle.manifest import (
    BundleManifest,
    CategoryEvidence,
    PartCounts,
    SplitSummary,
)


def write_small_bundle(
    folder: Path, *, n_categories: int = 30, n_features: int = 8, with_maps: bool = False
) -> Path:
    """Write the bundle that `small_bundle` gives; each image has probabilities of its own."""
    evidence = [
        CategoryEvidence(
            category_id=k + 1, name=f"animal {k}", supercategory="all", n_images=k, n_dives=1
        )
        for k in range(n_categories)
    ]
    manifest = BundleManifest(
        recipe="drawn",
        runner="network",
        settings={},
        categories=tuple(evidence),
        preprocessing=Preprocessing(width_px=32, height_px=32),
        split=SplitSummary(
            kind="file", seed=None, parts={"train": PartCounts(n_images=9, n_dives=2)}, sha256=""
        ),
        validation=None,
        provenance={},
    )
    network = _small_network(n_categories, n_features, with_maps=with_maps)
    write_bundle(folder, manifest, weights={}, novelty={}, network=network)
    return folder


def _small_network(n_categories: int, n_features: int, *, with_maps: bool) -> bytes:
    rng = np.random.default_rng(3)
    tensors = {
        "kernel": rng.normal(size=(n_features, 3, 3, 3)),
        "weight": 4 * rng.normal(size=(n_features, n_categories)),
    }
    nodes = [
        helper.make_node("Conv", ["images", "kernel"], ["maps"], strides=[2, 2]),
        helper.make_node("Relu", ["maps"], ["positive"]),
        helper.make_node("ReduceMean", ["positive", "axes"], ["features"], keepdims=0),
        helper.make_node("MatMul", ["features", "weight"], ["logits"]),
    ]
    outputs = {"logits": [n_categories], "features": [n_features]}
    if with_maps:
        tensors["patch_kernel"] = tensors["weight"].T[:, :, None, None]
        nodes.append(helper.make_node("Conv", ["positive", "patch_kernel"], ["patch_logits"]))
        outputs["patch_logits"] = [n_categories, 15, 15]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, 32, 32])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape])
            for name, shape in outputs.items()
        ],
        [
            *(numpy_helper.from_array(v.astype(np.float32), k) for k, v in tensors.items()),
            numpy_helper.from_array(np.array([2, 3], dtype=np.int64), "axes"),
        ],
    )
    opset = [helper.make_opsetid("", 18)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=10)
    content: bytes = model.SerializeToString()
    return content
