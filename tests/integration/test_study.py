"""The example that does the course study through the public door alone."""

from __future__ import annotations

import ast
import importlib.util
import tokenize
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import finding_nemo as nemo
from finding_nemo.results.submission import read_submission

_EXAMPLE = Path(__file__).resolve().parents[2] / "examples/study.py"
_SMALL: dict[str, Any] = {"pretrained": False, "width_px": 32, "height_px": 32, "batch_size": 16}


def _study() -> Any:
    spec = importlib.util.spec_from_file_location("study", _EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.study


def test_example__is_30_lines_of_the_public_door() -> None:
    tree = ast.parse(_EXAMPLE.read_text(encoding="utf-8"))
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    assert len(statements) <= 30
    imported = [ast.unparse(n) for n in statements if isinstance(n, ast.Import | ast.ImportFrom)]
    assert [line for line in imported if "finding_nemo" in line] == ["import finding_nemo as nemo"]
    with tokenize.open(_EXAMPLE) as file:
        assert len(file.read().splitlines()) < 60


@pytest.mark.slow
def test_study__leaves_table_pictures_and_submission(
    tiny_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipes = ("logistic-regression", "basic-nn", "resnet18")
    out = tmp_path / "study"
    compared: nemo.Comparison = _study()(tiny_folder, out, recipes, **_SMALL)
    assert [row.recipe for row in compared.rows] == list(recipes)
    assert [row.failure for row in compared.rows] == [None] * 3
    assert compared.best.map_at_20.value == max(row.map_at_20.value for row in compared.rows)
    assert compared.table in capsys.readouterr().out
    for name in ("categories", "learning-curves", "comparison", "reliability", "predictions"):
        with Image.open(out / f"{name}.png") as picture:
            assert picture.size[0] > 300
    split = nemo.read_split(out / "split-dive.csv")
    lines = read_submission(out / "submission.csv")
    assert {line.image_id for line in lines} == set(split.ids_in("test"))
    # The same figures as the comparison's own, from the same bundle and images.
    test = nemo.read_dataset(tiny_folder).subset(split.ids_in("test"))
    predictor = nemo.Predictor(compared.run_folder("resnet18", protocol="dive"))
    found = nemo.evaluate(predictor.predict(test), test)
    assert found.model.map_at_20 == compared.rows[2].map_at_20
    with pytest.raises(nemo.errors.SettingsError, match=r"no run of recipe 'nemo'.*basic-nn \(di"):
        compared.run_folder("nemo")
