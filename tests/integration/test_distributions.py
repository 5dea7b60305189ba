"""What a release holds: the whole package and its licence, and nothing that is not the package."""

from __future__ import annotations

import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.metadata import Metadata

from built_distributions import build_distributions, copy_project

_ROOT = Path(__file__).parents[2]
_PROJECT = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# Code, words and drawings in text. A raster picture, a table of frames or weights are never among
# them: real frames do not ship.
_KINDS = {".py", ".typed", ".csv", ".md", ".html", ".css", ".js", ".svg", ".json"}
_LARGEST_BYTES = 1_000_000


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wheel and the sdist."""
    folder = tmp_path_factory.mktemp("release")
    return build_distributions(copy_project(folder / "project"), folder / "dist")


def package_files() -> list[str]:
    source = _ROOT / "src"
    paths = (path for path in (source / "finding_nemo").rglob("*") if path.is_file())
    names = (path.relative_to(source).as_posix() for path in paths if path.suffix != ".pyc")
    return sorted(names)


def wheel_files(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return sorted(archive.namelist())


def metadata_of(wheel: Path) -> Metadata:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Metadata.from_email(archive.read(name), validate=True)


def test_wheel__holds_every_file_of_the_package_and_no_other(built: tuple[Path, Path]) -> None:
    names = wheel_files(built[0])
    about = f"finding_nemo-{_PROJECT['version']}.dist-info"
    assert [name for name in names if not name.startswith(f"{about}/")] == package_files()
    assert [name for name in names if name.startswith(f"{about}/")] == sorted(
        f"{about}/{name}"
        for name in (
            "METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE", "top_level.txt"
        )
    )  # fmt: skip
    for must in ("py.typed", "reporting/templates/dive.html", "serving/static/index.html"):
        assert f"finding_nemo/{must}" in names


def test_sdist__holds_the_package_its_licence_and_how_to_build_it(
    built: tuple[Path, Path], tmp_path: Path
) -> None:
    with tarfile.open(built[1]) as archive:
        files = [member.name for member in archive.getmembers() if member.isfile()]
        archive.extractall(tmp_path, filter="data")
    (top,) = tmp_path.iterdir()
    inside = sorted(name.partition("/")[2] for name in files)
    source = [name.removeprefix("src/") for name in inside if name.startswith("src/finding_nemo/")]
    assert source == package_files()
    made = {name for name in inside if name.startswith("src/finding_nemo.egg-info/")}
    assert set(inside) - made - {f"src/{name}" for name in source} == {
        "LICENSE", "PKG-INFO", "README.md", "pyproject.toml", "setup.cfg"
    }  # fmt: skip
    again, _ = build_distributions(top, tmp_path / "again")
    assert wheel_files(again) == wheel_files(built[0])


def test_release__holds_no_pictures_no_data_and_nothing_large(built: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(built[0]) as archive:
        entries = [entry for entry in archive.infolist() if ".dist-info/" not in entry.filename]
    assert sorted({Path(entry.filename).suffix for entry in entries} - _KINDS) == []
    assert [e.filename for e in entries if e.file_size > _LARGEST_BYTES] == []


def test_metadata__is_valid_and_says_what_the_project_says(built: tuple[Path, Path]) -> None:
    metadata = metadata_of(built[0])
    assert (metadata.name, str(metadata.version)) == (_PROJECT["name"], _PROJECT["version"])
    assert metadata.license_expression == "Apache-2.0"
    assert metadata.author == _PROJECT["authors"][0]["name"]
    assert metadata.description_content_type == "text/markdown"
    assert (metadata.description or "").strip() == (_ROOT / "README.md").read_text("utf-8").strip()
    assert set(metadata.provides_extra or ()) == set(_PROJECT["optional-dependencies"])


def test_twine__finds_no_fault(built: tuple[Path, Path]) -> None:
    check = pytest.importorskip("twine.commands.check", reason="no twine: pip install twine")
    assert check.check([str(path) for path in built], strict=True) is False
