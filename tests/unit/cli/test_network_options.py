"""How a network is computed, from the options of a command."""

from __future__ import annotations

import pytest
import typer

from finding_nemo.cli.prediction_verbs.predict import network_options
from finding_nemo.models.inference.open_bundle_network import InferenceOptions


def test_options__name_precision_runtime_and_card() -> None:
    found = network_options("float32", "onnxruntime", "cuda:1")
    assert found == InferenceOptions("float32", "onnxruntime", "cuda:1")
    assert network_options("auto", "auto", "auto") == InferenceOptions()


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "cpu:1", "cuda:-1", "CUDA", ""])
def test_device__of_no_such_name_is_wrong_usage(device: str) -> None:
    with pytest.raises(typer.BadParameter, match="Unknown device .* known: auto, cpu, cuda"):
        network_options("auto", "auto", device)
