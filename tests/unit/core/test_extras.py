"""Hints name libraries that can be installed from an index."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

import finding_nemo
from finding_nemo.core.extras import install_hint

_REQUIREMENTS = [
    "numpy>=2.0",
    'matplotlib>=3.8; extra == "report"',
    'finding-nemo[report]; extra == "train"',
    'torch>=2.6; extra == "train"',
    'Finding-Nemo[train, report]; extra == "tune"',
    "optuna>=4.0 ; python_version >= '3.11' and extra == 'tune'",
    'ray[data]>=2.40; extra == "cluster"',
    'plain; extra == "video"',
]


@pytest.mark.parametrize(
    ("extra", "command"),
    [
        ("report", "pip install 'matplotlib>=3.8'."),
        ("train", "pip install 'matplotlib>=3.8' 'torch>=2.6'."),
        ("tune", "pip install 'matplotlib>=3.8' 'torch>=2.6' 'optuna>=4.0'."),
        ("cluster", "pip install 'ray[data]>=2.40'."),
        ("video", "pip install plain."),
    ],
)
def test_hint__names_the_libraries(
    extra: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "requires", lambda _: _REQUIREMENTS)
    assert install_hint(extra) == f"Install it with: {command}"


def test_hint__of_a_package_that_was_never_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> list[str]:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", missing)
    assert install_hint("train").endswith("with: pip install '.[train]'.")


def test_no_hint__names_a_package_that_no_index_has() -> None:
    source = Path(finding_nemo.__file__).parent
    found = [p for p in source.rglob("*.py") if "install 'finding-nemo[" in p.read_text("utf-8")]
    assert found == []
