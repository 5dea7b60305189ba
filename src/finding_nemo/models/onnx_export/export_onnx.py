"""From a torch module to ONNX bytes that are the same every time."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from finding_nemo.core.errors import TrainingError
from finding_nemo.core.names.inference_names import PATCH_LOGITS
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.models.networks.onnx_backbone import FromCells, onnx_backbone_in
from finding_nemo.models.networks.with_features import (
    WithFeatures,
    WithMaps,
    has_features,
    has_maps,
)
from finding_nemo.models.onnx_export.own_onnx import OPSET, join_behind


def export_onnx(
    module: nn.Module, preprocessing: Preprocessing, *, output: str, more: Sequence[str] = ()
) -> bytes:
    """Return `module` as ONNX with one input "images" of any batch size.

    Names of source files and lines, which the exporter writes into the graph, are removed: they
    are paths of this machine and would change the bundle's hash.

    Args:
        module: Takes float32 (images, 3, height, width), gives (images, n), or several outputs.
        preprocessing: Gives height and width.
        output: The name of the output, such as "logits".
        more: The names of those behind it, such as "features", where `module` gives several.
    """
    backbone = onnx_backbone_in(module)
    if backbone is not None:
        cells = torch.zeros(2, *backbone.cells_shape)
        head = _export(FromCells(module, backbone), cells, "cells", (output, *more))
        return join_behind(backbone.graph, head)
    example = torch.zeros(2, 3, preprocessing.height_px, preprocessing.width_px)
    return _export(module, example, "images", (output, *more))


def _export(module: nn.Module, example: torch.Tensor, taken: str, given: Sequence[str]) -> bytes:
    was_training = module.training
    module.eval()
    try:
        program = _program(module, example, taken, given)
    except torch.onnx.OnnxExporterError:
        # Fused attention in windows (MaxViT, CoAtNet) has an order in memory that its parts, which
        # ONNX is made of, do not have.
        with _attention_in_parts(module) as n_changed:
            if not n_changed:
                raise
            program = _program(module, example, taken, given)
    module.train(was_training)
    if program is None:
        raise TrainingError("torch exported no ONNX program; is onnxscript installed?")
    proto = program.model_proto
    _gather_rows(proto.graph)
    _forget_sources(proto.graph)
    for function in proto.functions:
        _forget_sources(function)
    del proto.metadata_props[:]
    content: bytes = proto.SerializeToString(deterministic=True)
    return content


def _program(
    module: nn.Module, example: torch.Tensor, taken: str, given: Sequence[str]
) -> torch.onnx.ONNXProgram | None:
    with _quiet():
        return torch.onnx.export(
            module,
            (example,),
            dynamo=True,
            input_names=[taken],
            output_names=list(given),
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            opset_version=OPSET,
            verbose=False,
        )


@contextlib.contextmanager
def _attention_in_parts(module: nn.Module) -> Iterator[int]:
    """Let timm's layers compute attention step by step; yield how many did not."""
    fused: list[Any] = [part for part in module.modules() if getattr(part, "fused_attn", False)]
    for part in fused:
        part.fused_attn = False
    try:
        yield len(fused)
    finally:
        for part in fused:
            part.fused_attn = True


def _gather_rows(graph: Any) -> None:  # noqa: ANN401 - onnx has no types
    """Make `Gather` of each `GatherND` that takes whole rows by constant numbers, as it is.

    The exporter writes the biases of windows so. `check_network` knows no `GatherND`, which can
    address anything.
    """
    constants = {constant.name: constant for constant in graph.initializer}
    takers: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            takers.setdefault(name, []).append(node)
    for rows in graph.initializer:
        nodes = takers.get(rows.name, [])
        if nodes and rows.dims[-1:] == [1] and all(_takes_rows(node, rows.name) for node in nodes):
            del rows.dims[-1]
            for node in nodes:
                _make_gather(node)
    for made in [node for node in graph.node if _adds_last_axis(node, constants)]:
        nodes = takers.get(made.output[0], [])
        if nodes and all(_takes_rows(node, made.output[0]) for node in nodes):
            for node in nodes:
                node.input[1] = made.input[0]
                _make_gather(node)
            graph.node.remove(made)


def _make_gather(node: Any) -> None:  # noqa: ANN401 - onnx has no types
    node.op_type = "Gather"
    del node.attribute[:]


def _adds_last_axis(node: Any, constants: Mapping[str, Any]) -> bool:  # noqa: ANN401 - as above
    """Return whether a node gives constant numbers a last axis of 1."""
    import onnx

    if node.op_type != "Unsqueeze" or not all(name in constants for name in node.input):
        return False
    numbers, axes = (constants[name] for name in node.input)
    return onnx.numpy_helper.to_array(axes).tolist() in ([-1], [len(numbers.dims)])


def _takes_rows(node: Any, numbers: str) -> bool:  # noqa: ANN401 - onnx has no types
    return (
        node.op_type == "GatherND"
        and list(node.input).index(numbers) == 1
        and all(each.i == 0 for each in node.attribute)
    )


def export_network(module: nn.Module, preprocessing: Preprocessing) -> bytes:
    """Return a trained network as ONNX: its logits, and the features and maps that it can give."""
    if has_maps(module):
        more = ("features", PATCH_LOGITS)
        return export_onnx(WithMaps(module), preprocessing, output="logits", more=more)
    if has_features(module):
        return export_onnx(WithFeatures(module), preprocessing, output="logits", more=("features",))
    return export_onnx(module, preprocessing, output="logits")


def _forget_sources(graph: object) -> None:
    for kind in ("node", "initializer", "input", "output", "value_info"):
        for item in getattr(graph, kind, ()):
            del item.metadata_props[:]
            if hasattr(item, "doc_string"):
                item.ClearField("doc_string")
    metadata = getattr(graph, "metadata_props", None)
    if metadata is not None:
        del metadata[:]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter's progress lines and its dependencies' deprecations."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
