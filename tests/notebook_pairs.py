"""The notebooks, each made by running its script: python tests/notebook_pairs.py [NAME ...].

`notebooks/NAME.py` is what is edited, in jupytext's percent form; `notebooks/NAME.ipynb` has the
same cells with what they show.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
# In the order in which a person reads them: the first draws the data, the third trains the model.
NAMES = (
    "explore_data",
    "compare_study",
    "judge_by_dive",
    "review_dive",
    "predictions_to_obis",
)
_DATA = re.compile(r'^DATA = ""$', re.MULTILINE)
_SECONDS = 1800  # a cell, on a machine that does much else


def read_script(name: str, *, data: Path | None = None) -> Any:
    """Return the notebook of a script, without outputs.

    Args:
        name: One of `NAMES`.
        data: What a person writes behind `DATA =`.
    """
    text = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    if data is not None:
        text, n_places = _DATA.subn(lambda _: f"DATA = {str(data)!r}", text)
        if n_places != 1:
            raise ValueError(f'{name}.py has {n_places} lines DATA = "", wanted one.')
    notebook = jupytext.reads(text, fmt="py:percent")
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"  # jupytext draws new ones each time
    return notebook


def read_notebook(name: str) -> Any:
    """Return the notebook of a name, with outputs."""
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def run_notebook(notebook: Any, folder: Path) -> Any:
    """Run all cells in a kernel of its own, with `folder` as where they are, and return it.

    Raises:
        CellExecutionError: If a cell fails; with the cell and why.
    """
    NotebookClient(
        notebook,
        timeout=_SECONDS,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
    ).execute()
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell["outputs"] = [shown for shown in cell["outputs"] if not _is_of_the_machine(shown)]
    return notebook


def _is_of_the_machine(shown: Any) -> bool:
    """Whether an output is a library's warning that this machine has no widgets, with its path."""
    return shown.get("name") == "stderr" and "IProgress not found" in shown["text"]


def write_notebooks(names: tuple[str, ...], folder: Path) -> None:
    """Run scripts in `folder` and write the notebooks beside them."""
    for name in names:
        notebook = run_notebook(read_script(name), folder)
        nbformat.write(notebook, FOLDER / f"{name}.ipynb")
        print(f"notebook {FOLDER / name}.ipynb")  # noqa: T201


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        write_notebooks(tuple(sys.argv[1:]) or NAMES, Path(made))
