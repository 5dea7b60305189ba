"""`nemo`'s task: what is said where a backbone lacks something."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import timm

from finding_nemo.core.reporter import Reporter
from finding_nemo.training.tasks.patches import _checkpoint_gradients


def told_of(backbone: object) -> list[str]:
    told: list[str] = []
    context: Any = SimpleNamespace(reporter=Reporter(told.append))
    _checkpoint_gradients(backbone, context)
    return told


def test_a_backbone_without_gradient_checkpointing__is_trained_without() -> None:
    backbone: Any = timm.create_model("test_efficientnet", num_classes=0)
    assert told_of(backbone) == []
    assert backbone.grad_checkpointing

    class Without:
        def set_grad_checkpointing(self) -> None:
            raise AssertionError("gradient checkpointing not supported")

    for each in (Without(), object()):
        (words,) = told_of(each)
        assert "this backbone has none" in words
