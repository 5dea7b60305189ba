"""The command line offers what the tables hold, and asking it for help loads no library."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable

import pytest
from typer.testing import CliRunner

from finding_nemo.cli.app import app
from finding_nemo.core.names.inference_names import AUTO, DTYPES, EXPORT_TARGETS, RUNTIMES
from finding_nemo.data.datasets.dataset_forms import DATASET_FORMS
from finding_nemo.data.splits.split_kinds import PROTOCOLS, SPLITS
from finding_nemo.results.prediction_formats import FORMATS


def help_of(verb: str) -> str:
    answer = CliRunner().invoke(app, [verb, "--help"], env={"COLUMNS": "400", "TERM": "dumb"})
    assert answer.exit_code == 0
    return " ".join(answer.output.split())


@pytest.mark.parametrize(
    ("verb", "option", "names"),
    [
        ("split", "--by", SPLITS),
        ("predict", "--format", FORMATS),
        ("merge", "--format", FORMATS),
        ("predict", "--dtype", [AUTO, *DTYPES]),
        ("predict", "--runtime", [AUTO, *RUNTIMES]),
        ("export", "--to", EXPORT_TARGETS),
    ],
)
def test_choices__are_the_names_of_the_table(verb: str, option: str, names: Iterable[str]) -> None:
    assert f"{option} <{'|'.join(names)}>" in help_of(verb)


def test_help__of_lists_names_each_entry() -> None:
    assert ", ".join(PROTOCOLS) in help_of("compare")


def test_help__says_what_each_entry_is() -> None:
    for kind in SPLITS.values():
        assert kind.about in help_of("split")
    for known in FORMATS.values():
        assert known.about in help_of("predict")
    for about in [each.about for each in DTYPES.values()] + [r.about for r in RUNTIMES.values()]:
        assert about in help_of("predict")
    for form in DATASET_FORMS.values():
        assert form.about in help_of("inspect")


def test_tables__load_no_library() -> None:
    code = (
        "import sys, finding_nemo.cli.app\n"
        "print({'numpy', 'torch', 'pyarrow', 'onnxruntime', 'pydantic'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
