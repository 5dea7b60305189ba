"""The page on how the code is built: its layers, folders and pictures are those of the code.

Files are read as syntax trees, never imported: a picture of torch's files is checked without torch.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[3]
_SOURCE = _ROOT / "src/finding_nemo"
_PAGE = (_ROOT / "docs/architecture.md").read_text(encoding="utf-8")
_MAX_COLUMNS = 100

_FENCE = re.compile(r"^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FOLDER = re.compile(r"`((?:[a-z_0-9]+/)+)`")
_ROOM = re.compile(r"^\* \*\*(\w+)\*\*", re.MULTILINE)
# A row of a registry names its function in words, so that the table loads no library.
_IN_WORDS = re.compile(r"([\w.]+):(\w+)")
_TORCH = {"torch", "torchvision", "timm", "onnx", "onnxscript"}


def _section(title: str) -> str:
    """Return what stands below a heading, down to the next that is no smaller."""
    _, heading, rest = f"\n{_PAGE}".partition(f"\n{title}\n")
    assert heading, f"the page has no heading {title!r}"
    return re.split(rf"^#{{1,{title.count('#')}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def _cells(line: str) -> list[str]:
    """Return the columns of a picture's line, which two spaces part."""
    return re.split(r"\s{2,}", line.strip())


# --- the code, as it is ---------------------------------------------------------------------------


@dataclass(frozen=True)
class _Code:
    """What one file defines, knows and imports.

    Attributes:
        module: Its dotted name.
        known: From each name that it can use to where that is from; of a library "pa.Table".
        parts: The methods and fields of its classes, as "Class.name".
        imports: The modules that it imports, or names in words as "module:function".
    """

    module: str
    known: dict[str, str]
    parts: frozenset[str]
    imports: frozenset[str]

    def defines(self, name: str) -> bool:
        return self.known.get(name) == self.module or name in self.parts

    def uses(self, other: _Code) -> bool:
        in_words = (_IN_WORDS.fullmatch(text) for text in self.imports)
        return other.module in self.imports or any(
            f".{other.module}".endswith(f".{found[1]}") and other.defines(found[2])
            for found in in_words
            if found
        )


@cache
def _code(path: Path) -> _Code:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    module = ".".join(path.relative_to(_SOURCE.parent).with_suffix("").parts)
    defined = {name for node in tree.body for name in _names_of(node)}
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    parts = {f"{c.name}.{name}" for c in classes for node in c.body for name in _names_of(node)}
    known: dict[str, str] = {}
    imports: set[str] = set()
    for node in ast.walk(tree):  # verbs import inside their functions
        if isinstance(node, ast.ImportFrom) and node.module:
            imports.add(node.module)
            known |= {alias.asname or alias.name: node.module for alias in node.names}
        elif isinstance(node, ast.Import):
            known |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            imports |= {node.value} if _IN_WORDS.fullmatch(node.value) else set()
    known |= _of_libraries(tree, known) | dict.fromkeys(defined, module)
    return _Code(module, known, frozenset(parts), frozenset(imports))


def _names_of(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        yield node.name
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    yield from (target.id for target in targets if isinstance(target, ast.Name))


def _of_libraries(tree: ast.Module, known: dict[str, str]) -> dict[str, str]:
    """Return the types that are named with their library, such as `pa.Table`."""
    dotted = [
        (node.value.id, node.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    ]
    return {f"{root}.{name}": known[root] for root, name in dotted if root in known}


def _linked(first: _Code, second: _Code, passed: tuple[str, ...]) -> bool:
    """Return whether one imports the other, or both know one of the types that pass."""
    meets = any(n in first.known and first.known[n] == second.known.get(n) for n in passed)
    return meets or first.uses(second) or second.uses(first)


# --- the page, as it says -------------------------------------------------------------------------


@dataclass(frozen=True)
class _Step:
    """Files that stand side by side in a picture, each with the names to look for in it.

    Attributes:
        files: From file to names.
        passed: What the arrow above them names.
    """

    files: dict[str, tuple[str, ...]]
    passed: tuple[str, ...]

    @property
    def code(self) -> list[_Code]:
        return [_code(_SOURCE / file) for file in self.files if (_SOURCE / file).is_file()]


def _steps(picture: str) -> list[_Step]:
    steps = [_Step({}, ())]
    for line in picture.splitlines():
        if line.startswith("("):
            continue
        if line.lstrip().startswith("↓"):
            steps.append(_Step({}, _listed(line.strip(" ↓").partition(":")[0])))
        else:
            file, names, *_ = _cells(line)
            steps[-1].files[file] = _listed(names)
    return steps


def _listed(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(","))


def _faults(picture: str) -> list[str]:
    """Return each way in which a picture is not what the code does."""
    steps = _steps(picture)
    named = [(file, name) for step in steps for file, names in step.files.items() for name in names]
    missing = [file for step in steps for file in step.files if not (_SOURCE / file).is_file()]
    faults = [f"there is no file {file}" for file in missing]
    faults += [
        f"{file} defines no {name}"
        for file, name in named
        if file not in missing and not _code(_SOURCE / file).defines(name)
    ]
    for number, (above, below) in enumerate(pairwise(steps), start=1):
        faults += _faults_of_arrow(above, below, steps[:number])
    return faults


def _faults_of_arrow(above: _Step, below: _Step, before: list[_Step]) -> list[str]:
    arrow = f"between {' '.join(above.files)} and {' '.join(below.files)}"
    ends, earlier = [*above.code, *below.code], [code for step in before for code in step.code]
    faults = [
        f"{name} {arrow} is known to none of them"
        for name in below.passed
        if not any(name in code.known for code in ends)
    ]
    if not any(_linked(a, b, below.passed) for a in above.code for b in below.code):
        faults.append(f"nothing passes {arrow}")
    faults += [
        f"{code.module} has nothing from above it"
        for code in below.code
        if not any(_linked(code, other, below.passed) for other in earlier)
    ]
    return faults


_WAYS = re.findall(r"^### (\d\..*)$", _section("## The five ways of data"), re.MULTILINE)
_PICTURES = [
    pytest.param(picture, id=f"{way} {number}")
    for way in _WAYS
    for number, picture in enumerate(_FENCE.findall(_section(f"### {way}")), start=1)
]


# --- the tests ------------------------------------------------------------------------------------


def _contracts() -> dict[str, list[str]]:
    """Return the layers of each contract that has some, by the package that it is of."""
    settings = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    return {c["containers"][0]: c["layers"] for c in contracts if c["type"] == "layers"}


def test_layers__are_those_that_import_linter_keeps() -> None:
    pictures = _FENCE.findall(_section("## The layers"))
    shown = [[_cells(line)[0] for line in picture.splitlines()] for picture in pictures]
    names = ("finding_nemo", "finding_nemo.training", "finding_nemo.models")
    assert dict(zip(names, shown, strict=True)) == _contracts()


def test_folders__have_a_line_each_and_no_line_is_without_its_folder() -> None:
    lines = [line for line in _section("## The folders").splitlines() if line.startswith("| `")]
    shown = [found[1] for line in lines if (found := _FOLDER.match(line, 2))]
    folders = (path for path in _SOURCE.rglob("*") if path.is_dir())
    wanted = {f"{path.relative_to(_SOURCE).as_posix()}/" for path in folders}
    assert len(shown) == len(lines) == len(set(shown))
    assert set(shown) == {folder for folder in wanted if "__pycache__" not in folder}


def test_folders__tell_which_file_to_open_first() -> None:
    rows = [line.strip("| ").split(" | ") for line in _section("## The folders").splitlines()]
    files = [(row[0], file) for row in rows for file in re.findall(r"`(\S+\.py)`", row[-1])]
    assert len(files) > 40
    assert [file for folder, file in files if not file.startswith(folder.strip("`"))] == []
    assert [file for _, file in files if not (_SOURCE / file).is_file()] == []


def test_ways__are_five() -> None:
    assert len(_WAYS) == 5
    assert len(_PICTURES) >= 5


@pytest.mark.parametrize("picture", _PICTURES)
def test_picture__shows_what_the_code_does(picture: str) -> None:
    assert _faults(picture) == []


@pytest.mark.parametrize("picture", _FENCE.findall(_PAGE))
def test_picture__is_within_the_columns(picture: str) -> None:
    assert [line for line in picture.splitlines() if len(line) > _MAX_COLUMNS] == []


def test_torch__is_imported_only_where_the_page_says() -> None:
    stated = re.search(r"Only (.*?) may\s+import torch.*?not `(\S+?)`", _PAGE, re.DOTALL)
    assert stated
    loading = [path for path in sorted(_SOURCE.rglob("*.py")) if _loads_torch(path)]
    inside = {file.relative_to(_SOURCE).as_posix() for file in loading}
    allowed = tuple(_FOLDER.findall(stated[1]))
    assert [file for file in inside if not file.startswith(allowed)] == []
    assert [file for file in inside if file.startswith(stated[2])] == []
    assert [each for each in allowed if not any(file.startswith(each) for file in inside)] == []


def _loads_torch(path: Path) -> bool:
    code = _code(path)
    names = {*code.imports, *code.known.values()}
    return any(name.split(".")[0] in _TORCH for name in names if ":" not in name)


def test_next_rooms__are_not_there_yet() -> None:
    rooms = _ROOM.findall(_section("## Where the next rooms go"))
    assert rooms
    assert [room for room in rooms if (_SOURCE / room).exists()] == []


_TRUE = """\
(two files)
data/datasets/coco.py         read_coco     words
  ↓  CocoFile
data/datasets/coco_dataset.py    read_coco_dataset, image_ids_of
"""


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("coco.py", "no_such.py", "there is no file data/datasets/no_such.py"),
        ("read_coco ", "no_such ", "data/datasets/coco.py defines no no_such"),
        ("↓  CocoFile", "↓  NoSuch", "NoSuch between .* is known to none"),
        ("coco_dataset.py    read_coco_dataset", "dives.py  DiveKey", "nothing passes between"),
        ("data/datasets/coco.py", "metrics/roc_auc.py", "coco_dataset has nothing from above it"),
    ],
)
def test_reader__sees_what_is_not_so(old: str, new: str, fault: str) -> None:
    assert _faults(_TRUE) == []
    assert any(re.search(fault, found) for found in _faults(_TRUE.replace(old, new)))


def test_reader__sees_functions_that_are_named_in_words() -> None:
    registry = _code(_SOURCE / "training/recipes/registry.py")
    assert registry.uses(_code(_SOURCE / "training/tasks/finetune.py"))
    assert not registry.uses(_code(_SOURCE / "training/fit.py"))
