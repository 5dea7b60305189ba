"""One word, one concept: words that stood for several things are no identifiers any more.

docs/glossary.md says what each thing is called instead.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter
from pathlib import Path

import finding_nemo

SOURCE = Path(finding_nemo.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))

# Each had two to eight meanings, or none that a reader of the field knows.
BANNED = {
    "AS_TRAINED", "AtOnce", "Donor", "Donors", "Floats", "Judged", "JudgedImage", "Judgement",
    "Lights", "LocalFiles", "Loop", "Move", "NetworkWish", "Objectives", "Parts", "PartsFolder",
    "PlaceHeads", "Processes", "Reader", "Reading", "Ready", "ReadyImage", "ReadyInputs",
    "RemoteFiles", "Seen", "Selection", "Showing", "Sight", "SmallAnimalNetwork", "StoredRows",
    "Tell", "Tick", "Trust", "WeightAverage", "activations_twice", "area_under_roc", "arithmetic",
    "averaging", "boxes_teach", "choose_sight", "connected", "donors", "floors", "gathered",
    "gradients_apart", "images_at_once", "in_light_of", "judge", "judged", "judgement",
    "lay_beside", "leads", "lessons", "lights", "look_again", "mapped_ahead", "modern", "notify",
    "passes_over", "pastes_per_view", "place_weight", "said", "seen_by", "set_up_places",
    "show_progress", "spoken", "stories", "story", "strongest_places", "taught", "teach",
    "tell_nobody", "telling_full_disk", "tick", "told", "trust", "turns_of", "unmoved",
    "unusual_share_of", "view_targets", "whole_share", "wish", "without_boxes", "written_whole",
}  # fmt: skip
# Words that are plain elsewhere, but whose meaning here is another.
BANNED_WITHIN = {
    "training": {
        "View",
        "place",
        "places",
        "whole",
        "look",
        "see",
        "seen_in",
        "turn",
        "turns",
        "lit",
    },
    "models/networks": {"place", "places", "whole", "trust", "judgement"},
    "models/inference": {"see", "seen", "precision", "arithmetic"},
    "prediction": {"Known", "place", "places", "reader", "reading", "known"},
}


def _identifiers(path: Path) -> set[str]:
    with path.open(encoding="utf-8") as file:
        tokens = tokenize.generate_tokens(io.StringIO(file.read()).readline)
        return {token.string for token in tokens if token.type == tokenize.NAME}


def _where(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def test_identifiers__are_words_of_the_field() -> None:
    found = {}
    for path in FILES:
        banned = set(BANNED)
        for folder, words in BANNED_WITHIN.items():
            if _where(path).startswith(f"{folder}/"):
                banned |= words
        if names := _identifiers(path) & banned:
            found[_where(path)] = sorted(names)
    assert found == {}


def test_modules__have_names_of_their_own() -> None:
    counted = Counter(path.name for path in FILES if path.name != "__init__.py")
    assert [name for name, count in counted.items() if count > 1] == []


def test_folders__hold_14_files_at_most() -> None:
    held = Counter(path.parent for path in FILES)
    assert {_where(folder): count for folder, count in held.items() if count > 14} == {}
    entries = [entry for entry in (SOURCE / "training").iterdir() if entry.name[:2] != "__"]
    assert len(entries) + 1 <= 12  # with __init__.py


def test_files__have_400_lines_at_most() -> None:
    lengths = {_where(path): path.read_text(encoding="utf-8").count("\n") for path in FILES}
    assert {path: length for path, length in lengths.items() if length > 400} == {}


def test_settings__are_told_apart_by_the_registry_alone() -> None:
    found = []
    for path in FILES:
        if _where(path).startswith("training/recipes/"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or getattr(node.func, "id", "") != "isinstance":
                continue
            if "settings" in ast.unparse(node.args[0]):
                found.append(f"{_where(path)}:{node.lineno}")
    assert found == []


def test_layout__is_the_formatters_but_for_tables_of_data() -> None:
    found = []
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        tables = [
            range(node.lineno, (node.end_lineno or node.lineno) + 1)
            for node in ast.parse(text).body
            if isinstance(node, ast.Assign | ast.AnnAssign)
            and isinstance(node.value, ast.Dict | ast.Tuple | ast.List | ast.Set)
        ]
        for number, line in enumerate(text.splitlines(), start=1):
            if "fmt: skip" in line and not any(number in table for table in tables):
                found.append(f"{_where(path)}:{number}")
    assert found == []
