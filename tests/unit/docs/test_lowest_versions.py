"""The lower bounds in pyproject.toml, as `make test-lowest` reads them."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def lowest_versions() -> Any:
    spec = importlib.util.spec_from_file_location("lowest", _ROOT / "tests/lowest_versions.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.lowest_versions


def project(*dependencies: str, **extras: list[str]) -> dict[str, Any]:
    return {
        "build-system": {"requires": ["setuptools>=77.0.3"]},
        "project": {
            "name": "nemo",
            "dependencies": list(dependencies),
            "optional-dependencies": extras,
        },
    }


def test_bounds__of_all_extras_are_taken_once(lowest_versions: Any) -> None:
    pyproject = project("numpy>=2.0", video=["av>=17.1"], dev=["nemo[video]", "moto[s3]>=5.0"])
    assert lowest_versions(pyproject) == {
        "setuptools": "77.0.3",
        "numpy": "2.0",
        "av": "17.1",
        "moto": "5.0",
    }


@pytest.mark.parametrize(
    ("requirement", "message"),
    [
        ("numpy", "is not of the form 'name>=version'"),
        ("numpy==2.0", "is not of the form"),
        ("numpy>=2.0,<3", "is not of the form"),
        ("numpy>=2.1", "numpy has two bounds: 2.0 and 2.1"),
    ],
)
def test_requirement__without_one_lower_bound_is_refused(
    lowest_versions: Any, requirement: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        lowest_versions(project("numpy>=2.0", more=[requirement]))


def test_pyproject__bounds_every_library_from_below_only(lowest_versions: Any) -> None:
    versions = lowest_versions(tomllib.loads((_ROOT / "pyproject.toml").read_text("utf-8")))
    # Below these: holes that files or servers of strangers reach.
    assert int(versions["pillow"].split(".")[0]) >= 13
    for name, minor in (("onnxruntime", (1, 24)), ("onnx", (1, 21)), ("aiohttp", (3, 14))):
        assert tuple(map(int, versions[name].split(".")[:2])) >= minor
