"""Hints name a command that fits how the package was installed."""

from __future__ import annotations

import json
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


class Installed:
    """A package that came from somewhere; pip keeps where in `direct_url.json`."""

    def __init__(self, direct: str | None, installer: str | None = "pip") -> None:
        self.texts = {"direct_url.json": direct, "INSTALLER": installer}

    def read_text(self, name: str) -> str | None:
        return self.texts[name]


def install(patch: pytest.MonkeyPatch, *found: Installed) -> None:
    patch.setattr(metadata, "requires", lambda _: _REQUIREMENTS)
    patch.setattr(metadata, "distributions", lambda name: found)


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
def test_hint__where_the_folder_is_gone_names_the_libraries(
    extra: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for direct in (
        '{"url": "https://example.org/finding_nemo.whl", "archive_info": {}}',
        '{"url": "file:///gone/finding-nemo", "dir_info": {"editable": true}}',
        "not JSON",
        "[]",
    ):
        install(monkeypatch, Installed(None, None), Installed(direct))
        assert install_hint(extra) == f"Install it with: {command}"


def test_hint__of_an_index_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, Installed(None, None), Installed(None))
    assert install_hint("train") == "Install it with: pip install 'finding-nemo[train]'."


@pytest.mark.parametrize(
    ("name", "info", "command"),
    [
        ("clone", {"editable": True}, "pip install --editable '{}[train]'."),
        ("clone", {}, "pip install '{}[train]'."),
        ("a clone of Ann's", {}, "pip install {}[train]."),
    ],
)
def test_hint__of_a_folder_names_the_folder(
    name: str,
    info: dict[str, bool],
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    direct = json.dumps({"url": folder.as_uri(), "dir_info": info})
    install(monkeypatch, Installed(direct))
    said = install_hint("train").replace("'\"'\"'", "'")
    if "'" in name:  # quoted once more for the shell
        said = said.replace("'/", "/").replace("]'", "]")
    assert said == f"Install it with: {command.format(folder)}"


@pytest.mark.parametrize("found", [(), (Installed(None, None),)])
def test_hint__of_a_package_that_was_never_installed(
    found: tuple[Installed, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, *found)
    assert install_hint("train").endswith("with: pip install '.[train]'.")


def test_no_hint__names_a_package_that_no_index_has() -> None:
    source = Path(finding_nemo.__file__).parent
    found = [p for p in source.rglob("*.py") if "install 'finding-nemo[" in p.read_text("utf-8")]
    assert found == []
