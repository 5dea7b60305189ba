"""The demo, small: every promised file is there, and says something."""

from __future__ import annotations

from pathlib import Path

import pytest

from finding_nemo.core.errors import OutputExistsError
from finding_nemo.core.reporter import Reporter
from finding_nemo.workflows.run_demo import run_demo

pytestmark = pytest.mark.slow


def test_demo__makes_all_that_it_names_and_beats_class_frequency(tmp_path: Path) -> None:
    told: list[str] = []
    demo = run_demo(
        tmp_path / "demo", images=160, seed=0, overwrite=False, reporter=Reporter(told.append)
    )
    assert set(demo.outputs) == {
        "frames", "inspection", "split", "bundle", "predictions", "report", "picture",
        "submission", "dives",
    }  # fmt: skip
    assert all(path.exists() for path in demo.outputs.values())
    assert demo.evaluation.model.map_at_20.value > demo.evaluation.prior.map_at_20.value
    assert demo.score.auc is not None
    assert any("training patches" in line for line in told)
    answers = demo.evaluation.answers
    assert sum(score.n_images for score in answers) == demo.evaluation.n_images
    assert all(0 <= score.n_right <= score.n_images for score in answers)
    with pytest.raises(OutputExistsError, match="--overwrite"):
        run_demo(
            tmp_path / "demo", images=160, seed=0, overwrite=False, reporter=Reporter(told.append)
        )
