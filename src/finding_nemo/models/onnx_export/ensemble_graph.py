"""Several exported networks as one that gives the weighted mean of their logits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from finding_nemo.core.errors import BundleError
from finding_nemo.core.names.inference_names import PATCH_LOGITS
from finding_nemo.core.preprocessing import Preprocessing

_IMAGES, _LOGITS, _FEATURES = "images", "logits", "features"


@dataclass(frozen=True)
class Member:
    """One network of several.

    Attributes:
        network: Its ONNX bytes, as `export_onnx` writes them.
        preprocessing: What it expects to be done to pixels.
        share: Its part of the mean, in (0, 1].
    """

    network: bytes
    preprocessing: Preprocessing
    share: float


def join_networks(members: Sequence[Member]) -> bytes:
    """Return one ONNX network of several, for pixels as the first of them expects.

    Logits are averaged, not probabilities: a mean of probabilities near 0 is the largest of them.
    "features" are those of all members side by side, if every one gives some. "patch_logits" are
    averaged like logits, if all members give them for the same rows and columns.

    Args:
        members: Whose frames have the same size; mean and standard deviation may differ.

    Raises:
        BundleError: If the networks are of different ONNX versions.
    """
    import onnx
    from onnx import compose, helper

    first = members[0].preprocessing
    models = [onnx.load_from_string(member.network) for member in members]
    _check_versions(models)
    graph = helper.make_graph([], "joined", [models[0].graph.input[0]], [])
    outputs: list[set[str]] = []
    for number, (member, model) in enumerate(zip(members, models, strict=True)):
        outputs.append({output.name for output in model.graph.output})
        prefix = _prefix(number)
        renamed = compose.add_prefix(model, prefix).graph
        _give_images(graph, prefix + _IMAGES, first, member.preprocessing)
        graph.node.extend(renamed.node)
        graph.initializer.extend(renamed.initializer)
        graph.value_info.extend(renamed.value_info)
    shares = [member.share for member in members]
    _add_shares(graph, shares)
    _add_mean(graph, len(shares), _LOGITS)
    graph.output.append(_like(models[0], _LOGITS))
    if all(_FEATURES in names for names in outputs):
        _add_all_features(graph, models)
        if all(PATCH_LOGITS in names for names in outputs) and _have_one_grid(models):
            _add_mean(graph, len(shares), PATCH_LOGITS)
            graph.output.append(_like(models[0], PATCH_LOGITS))
    joined = helper.make_model(graph, opset_imports=list(models[0].opset_import))
    joined.ir_version = models[0].ir_version
    onnx.checker.check_model(joined)
    content: bytes = joined.SerializeToString(deterministic=True)
    return content


def _prefix(number: int) -> str:
    return f"member{number}/"


def _check_versions(models: Sequence[Any]) -> None:
    found = {
        (model.ir_version, tuple((i.domain, i.version) for i in model.opset_import))
        for model in models
    }
    if len(found) > 1:
        raise BundleError(
            f"The networks are of different ONNX versions ({found}). Train the older ones again "
            "with this version of finding-nemo."
        )


def _give_images(graph: Any, name: str, given: Preprocessing, wanted: Preprocessing) -> None:  # noqa: ANN401
    """Let `name` be the images normalised as `wanted` says, not as `given` does."""
    from onnx import helper, numpy_helper

    if (given.mean, given.std) == (wanted.mean, wanted.std):
        graph.node.append(helper.make_node("Identity", [_IMAGES], [name], name=f"{name}/same"))
        return
    mean, std = np.array(given.mean), np.array(given.std)
    gain = std / np.array(wanted.std)
    offset = (mean - np.array(wanted.mean)) / np.array(wanted.std)
    for part, values in (("gain", gain), ("offset", offset)):
        shaped = values.astype(np.float32).reshape(1, 3, 1, 1)
        graph.initializer.append(numpy_helper.from_array(shaped, f"{name}/{part}"))
    graph.node.extend(
        [
            helper.make_node(
                "Mul", [_IMAGES, f"{name}/gain"], [f"{name}/gained"], name=f"{name}/mul"
            ),
            helper.make_node(
                "Add", [f"{name}/gained", f"{name}/offset"], [name], name=f"{name}/add"
            ),
        ]
    )


def _add_shares(graph: Any, shares: Sequence[float]) -> None:  # noqa: ANN401
    from onnx import numpy_helper

    for number, share in enumerate(shares):
        stored = numpy_helper.from_array(np.array(share, np.float32), f"share{number}")
        graph.initializer.append(stored)


def _add_mean(graph: Any, n_members: int, output: str) -> None:  # noqa: ANN401
    """Add the members' mean of an output, weighed by their shares."""
    from onnx import helper

    weighed = []
    for number in range(n_members):
        name = _prefix(number) + output
        weighed.append(f"{name}/weighed")
        graph.node.append(
            helper.make_node("Mul", [name, f"share{number}"], [weighed[-1]], name=f"{name}/mul")
        )
    graph.node.append(helper.make_node("Sum", weighed, [output], name=f"mean_of_{output}"))


def _have_one_grid(models: Sequence[Any]) -> bool:
    shapes = [_like(model, PATCH_LOGITS).type.tensor_type.shape.dim for model in models]
    return len({tuple(size.dim_value for size in dims[2:]) for dims in shapes}) == 1


def _add_all_features(graph: Any, models: Sequence[Any]) -> None:  # noqa: ANN401
    from onnx import TensorProto, helper

    names = [_prefix(number) + _FEATURES for number in range(len(models))]
    graph.node.append(
        helper.make_node("Concat", names, [_FEATURES], axis=1, name="features_of_all")
    )
    batch = _like(models[0], _FEATURES).type.tensor_type.shape.dim[0]
    width = sum(_like(m, _FEATURES).type.tensor_type.shape.dim[1].dim_value for m in models)
    shape = [batch.dim_param or None, width or None]
    graph.output.append(helper.make_tensor_value_info(_FEATURES, TensorProto.FLOAT, shape))


def _like(model: Any, name: str) -> Any:  # noqa: ANN401
    return next(output for output in model.graph.output if output.name == name)
