"""A user's ONNX file as the first part of a bundle's network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from finding_nemo.core.config import Settings
from finding_nemo.core.errors import SettingsError
from finding_nemo.core.text.plain_text import PlainText
from finding_nemo.core.text.printable import one_line

# The exporter's own: IR 10, which ONNX Runtime 1.20 and later read.
OPSET = 18
_IMAGES, _CELLS, _PREFIX = "images", "cells", "backbone/"
_FLOAT = 1

_Share = Annotated[float, Field(gt=-10, lt=10)]
_Above0 = Annotated[float, Field(gt=0, lt=10)]


class OnnxDescription(Settings):
    """What a JSON file beside an ONNX file may say of it.

    Attributes:
        name: What the network is called; "" for the name of its file.
        width_px: Width of the frames that it takes.
        height_px: Height of the frames that it takes.
        mean: Of each channel in [0, 1], as it expects; the default is ImageNet's.
        std: Of each channel, as it expects.
        license: Of its weights.
        output: Which of its outputs is taken; "" for the first.
    """

    name: PlainText = ""
    width_px: int | None = Field(default=None, ge=8, le=4096)
    height_px: int | None = Field(default=None, ge=8, le=4096)
    mean: tuple[_Share, _Share, _Share] = (0.485, 0.456, 0.406)
    std: tuple[_Above0, _Above0, _Above0] = (0.229, 0.224, 0.225)
    license: PlainText = ""
    output: PlainText = ""


def describe_onnx(path: Path) -> tuple[OnnxDescription, Path | None]:
    """Return what the JSON file beside an ONNX file says, and which file that is.

    Raises:
        SettingsError: If it is no JSON, or holds what is not known.
    """
    for beside in (path.with_suffix(".json"), path.with_name(path.name + ".json")):
        if beside.is_file():
            try:
                content: Any = json.loads(beside.read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:
                raise SettingsError(f"{beside} is not JSON: {str(error)[:200]}.") from None
            if not isinstance(content, dict):
                raise SettingsError(f"{beside} holds no JSON object with keys such as mean.")
            return OnnxDescription.build(content, source=str(beside)), beside
    return OnnxDescription(), None


def images_to_cells(content: bytes, *, output: str) -> Any:  # noqa: ANN401 - onnx has no types
    """Return the graph of a user's file in the form that heads are put behind.

    Args:
        content: Of the file.
        output: The output to take; "" for the first.

    Returns:
        An ONNX model from "images", of any batch size, to "cells".

    Raises:
        SettingsError: If it is no network from one batch of images.
    """
    import onnx
    from onnx import compose, inliner

    try:
        model = onnx.load_from_string(content)
        model = inliner.inline_local_functions(model)
        model = _in_our_opset(model)
        taken = _input_of(model.graph)
        given = _output_of(model.graph, output)
        renamed = compose.add_prefix(model, _PREFIX)
    except SettingsError:
        raise
    except Exception as error:  # the library raises classes of its own, all unlisted
        words = one_line(error, longest=200)
        raise SettingsError(
            f"it is no ONNX network that can be read: {words}. Export it with opset {OPSET}, all "
            "data inside"
        ) from None
    graph = renamed.graph
    _rename(graph, {_PREFIX + taken: _IMAGES, _PREFIX + given: _CELLS})
    _keep_needed(graph, taken=_IMAGES, given=_CELLS)
    del renamed.metadata_props[:]
    return renamed


def _in_our_opset(model: Any) -> Any:  # noqa: ANN401
    from onnx import version_converter

    versions = {each.domain or "ai.onnx": each.version for each in model.opset_import}
    if versions.get("ai.onnx") != OPSET:
        model = version_converter.convert_version(model, OPSET)
    for each in [entry for entry in model.opset_import if entry.domain not in ("", "ai.onnx")]:
        model.opset_import.remove(each)
    return model


def _input_of(graph: Any) -> str:  # noqa: ANN401
    weights = {each.name for each in graph.initializer}
    inputs = [each for each in graph.input if each.name not in weights]
    kinds = [(each.type.tensor_type.elem_type, _dims(each)) for each in inputs]
    if len(inputs) != 1 or kinds[0][0] != _FLOAT or len(kinds[0][1]) != 4:
        raise SettingsError(
            f"it takes {len(inputs)} input(s) {[dims for _, dims in kinds]}; wanted is one, "
            "float32 (images, 3, height, width)"
        )
    if kinds[0][1][1] not in (0, 3):
        raise SettingsError(f"its images are of shape {kinds[0][1]}; wanted are 3 channels first")
    return str(inputs[0].name)


def _output_of(graph: Any, wanted: str) -> str:  # noqa: ANN401
    names = [str(each.name) for each in graph.output]
    if wanted and wanted not in names:
        raise SettingsError(f"it has no output {wanted!r}; it has {', '.join(names)}")
    return wanted or names[0]


def _dims(value: Any) -> list[int]:  # noqa: ANN401
    """Return the sizes of a tensor, 0 where one is free."""
    return [int(size.dim_value) for size in value.type.tensor_type.shape.dim]


def _rename(graph: Any, names: dict[str, str]) -> None:  # noqa: ANN401
    for node in graph.node:
        for part in (node.input, node.output):
            for position, name in enumerate(part):
                part[position] = names.get(name, name)
    for value in (*graph.input, *graph.output):
        value.name = names.get(value.name, value.name)


def _keep_needed(graph: Any, *, taken: str, given: str) -> None:  # noqa: ANN401
    """Drop all that the output does not rest on, and what the file claims of sizes within."""
    needed, kept = {given}, []
    for node in reversed(graph.node):
        if needed & set(node.output):
            kept.append(node)
            needed.update(node.input)
    weights = [each for each in graph.initializer if each.name in needed]
    inputs = [each for each in graph.input if each.name == taken]
    outputs = [each for each in graph.output if each.name == given]
    for part, wanted in (
        (graph.node, kept[::-1]),
        (graph.initializer, weights),
        (graph.input, inputs),
        (graph.output, outputs),
        (graph.value_info, []),
    ):
        copies = [type(each)() for each in wanted]
        for copy, each in zip(copies, wanted, strict=True):
            copy.CopyFrom(each)
        del part[:]
        part.extend(copies)


def frame_of(model: Any) -> tuple[int, int]:  # noqa: ANN401
    """Return height and width that a network takes, 0 for a free one."""
    dims = _dims(model.graph.input[0])
    return dims[2], dims[3]


def sized(
    model: Any,  # noqa: ANN401 - onnx has no types
    frame_px: tuple[int, int],
    cells_shape: tuple[int, ...] | None = None,
) -> bytes:
    """Return a model for frames of one size, in batches of any.

    Args:
        model: As `images_to_cells` returns it.
        frame_px: Height and width.
        cells_shape: Of one image, once it is known.
    """
    from onnx import TensorProto, helper

    graph = model.graph
    shapes = {_IMAGES: (3, *frame_px), _CELLS: cells_shape}
    for part, name in ((graph.input, _IMAGES), (graph.output, _CELLS)):
        shape = shapes[name]
        dims: list[str | int | None] | None = None if shape is None else ["batch", *shape]
        del part[:]
        part.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, dims))
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def flattened(content: bytes) -> bytes:
    """Return a network whose output is one row an image, "logits": what the check can follow."""
    import onnx
    from onnx import TensorProto, helper

    model = onnx.load_from_string(content)
    model.graph.node.append(helper.make_node("Flatten", [_CELLS], ["logits"], axis=1))
    del model.graph.output[:]
    model.graph.output.append(
        helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", None])
    )
    found: bytes = model.SerializeToString(deterministic=True)
    return found


def join_behind(backbone: bytes, head: bytes) -> bytes:
    """Return one network: a backbone from "images" to "cells", and what was exported behind it.

    Args:
        backbone: As `sized` returns it.
        head: From "cells" on.
    """
    import onnx
    from onnx import compose

    first, second = onnx.load_from_string(backbone), onnx.load_from_string(head)
    first.ir_version = second.ir_version
    joined = compose.merge_models(first, second, io_map=[(_CELLS, _CELLS)])
    del joined.metadata_props[:]
    joined.producer_name = second.producer_name
    joined.producer_version = second.producer_version
    content: bytes = joined.SerializeToString(deterministic=True)
    return content


def batches_agree(first: np.ndarray[Any, Any], alone: np.ndarray[Any, Any]) -> bool:
    """Return whether an image's cells are the same in a batch and alone."""
    return first.shape == alone.shape and bool(np.allclose(first, alone, rtol=1e-3, atol=1e-4))
