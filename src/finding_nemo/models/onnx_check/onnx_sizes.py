"""How large each tensor of a network becomes, worked out without computing any.

A file of some hundred bytes can ask for terabytes: a constant of a giant shape, weights that are
broadcast against each other, a list joined to itself forty times. A runtime obeys, some of it while
it loads. So every operation that is allowed has a rule here for the shape of what it gives; an
operation without one is not allowed, and one whose shape cannot be known beforehand is refused.

Source:
    ONNX operators, https://onnx.ai/onnx/operators/.
"""

from __future__ import annotations

from collections.abc import Mapping

from finding_nemo.models.onnx_check.onnx_known import Rule
from finding_nemo.models.onnx_check.onnx_layers import LAYERS
from finding_nemo.models.onnx_check.onnx_moves import MOVES

RULES: Mapping[str, Rule] = {**LAYERS, **MOVES}
