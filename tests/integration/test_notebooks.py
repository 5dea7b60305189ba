"""The notebooks: each runs as it stands, and shows what its script says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nbclient", reason="running notebooks needs nbclient, ipykernel and jupytext")
pytest.importorskip("ipykernel", reason="running notebooks needs nbclient, ipykernel and jupytext")
pytest.importorskip("jupytext", reason="running notebooks needs nbclient, ipykernel and jupytext")

import nbformat

from notebook_pairs import FOLDER, NAMES, read_notebook, read_script, run_notebook

_MOST_BYTES = 3_000_000


def _cells(notebook: Any) -> list[tuple[str, str]]:
    return [(cell.cell_type, cell.source) for cell in notebook.cells]


def _outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


def _n_pictures(notebook: Any) -> int:
    return sum("image/png" in output.get("data", {}) for output in _outputs(notebook))


def _errors(notebook: Any) -> list[str]:
    """Return what went to stderr or failed.

    That matplotlib makes its cache of fonts is neither.
    """
    told = [
        output.get("text", "") or "\n".join(output.get("traceback", ()))
        for output in _outputs(notebook)
        if output.output_type == "error" or output.get("name") == "stderr"
    ]
    return [text for text in told if "font cache" not in text]


def test_folder__holds_pairs_and_stays_small() -> None:
    files = sorted(path.name for path in FOLDER.iterdir() if path.is_file())
    assert files == sorted(f"{name}.{suffix}" for name in NAMES for suffix in ("py", "ipynb"))
    assert sum((FOLDER / file).stat().st_size for file in files) < _MOST_BYTES


@pytest.mark.parametrize("name", NAMES)
def test_pair__has_the_same_cells_and_pictures(name: str) -> None:
    notebook = read_notebook(name)
    nbformat.validate(notebook)
    assert _cells(notebook) == _cells(read_script(name)), "python tests/notebook_pairs.py"
    assert _n_pictures(notebook) >= 1
    assert _errors(notebook) == []
    text = (FOLDER / f"{name}.ipynb").read_text(encoding="utf-8")
    assert "site-packages" not in text, "a path of the machine that ran it"
    for of_a_machine in ("/tmp/", "/home/", "/root/", "C:\\\\"):  # noqa: S108
        assert of_a_machine not in text
    assert _code(notebook)[0] == _code(read_script(NAMES[0]))[0]


def _code(notebook: Any) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the notebooks run one after the other: data are drawn once, a model is trained once."""
    return tmp_path_factory.mktemp("notebooks")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_notebook__runs_without_an_edit(name: str, workplace: Path) -> None:
    done = run_notebook(read_script(name), workplace)
    assert _errors(done) == []
    assert _n_pictures(done) == _n_pictures(read_notebook(name))
    drawn = list((workplace / "notebook-runs/drawn/frames/images/train").rglob("*.*"))
    assert drawn


@pytest.mark.slow
def test_notebook__takes_the_path_of_your_data(tiny_folder: Path, tmp_path: Path) -> None:
    done = run_notebook(read_script("explore_data", data=tiny_folder), tmp_path)
    assert _errors(done) == []
    assert _n_pictures(done) >= 2
    assert not (tmp_path / "notebook-runs/drawn").exists()
