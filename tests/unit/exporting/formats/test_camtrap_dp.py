"""Camtrap DP, read and checked by frictionless."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from camtrap_tables import camtrap_faults
from exported_frames import frame, job, machine, odd_frames, person
from finding_nemo.exporting.export_frame import NOWHERE, ExportFrame, FramePosition
from finding_nemo.exporting.export_job import ExportJob
from finding_nemo.exporting.formats.camtrap_dp import write_camtrap_dp
from finding_nemo.exporting.taxon_names import TaxonNames
from finding_nemo.marine.resolve_names import resolve_name

pytest.importorskip("frictionless", reason="needs frictionless, of the extra dev")

_N = int(os.environ.get("FINDING_NEMO_FUZZ", "3"))
_CRAB = "Chionoecetes tanneri"
_THERE = FramePosition(latitude=36.5, longitude=-122.25, source="nav.csv")
# Fields that the form requires and that nothing may say; each is counted in a notice.
_MAY_BE_MISSING = {
    *("media.timestamp", "observations.eventStart", "observations.eventEnd"),
    *("deployments.deploymentStart", "deployments.deploymentEnd"),
    *("deployments.latitude", "deployments.longitude", "media.filePath"),
}


def faults(frames: list[ExportFrame], of: ExportJob) -> list[str]:
    """Write a package and return what frictionless finds wrong with it."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "package").mkdir()
        write_camtrap_dp(iter(frames), of, Path(folder) / "package")
        return camtrap_faults(Path(folder) / "package", Path(folder) / "read")


def package_of(folder: Path, licence: str) -> Any:
    write_camtrap_dp(iter([frame()]), job(license=licence), folder)
    return json.loads((folder / "datapackage.json").read_text())


def test_package__is_valid() -> None:
    frames = [
        frame(labels=(person(_CRAB), machine(_CRAB, 3), machine("Aeolidiidae sp. 1", 7))),
        frame("b", dive="Tiburon 3", file_name="b..png", labels=()),
    ]
    of = ExportJob(
        source=job(
            title="Two dives",
            contact="Ada Lovelace",
            email="ada@example.org",
            license="https://creativecommons.org/licenses/by/4.0/",
            image_address="https://images.example.org/may",
        ).source,
        names=TaxonNames(resolve_name),
    )
    assert faults(frames, of) == []
    assert of.notices() == ()


@pytest.mark.parametrize("text", ["CC BY 4.0", "../x", "https://x/../y", "é"])
def test_licence__of_any_words_is_valid(text: str) -> None:
    assert faults([frame()], job(license=text)) == []


def test_licence__is_an_address_or_a_name(tmp_path: Path) -> None:
    found = package_of(tmp_path, "CC BY 4.0")["licenses"]
    assert found[0] == {"name": "CC-BY-4.0", "title": "CC BY 4.0", "scope": "data"}
    assert found[1]["scope"] == "media"
    assert package_of(tmp_path, "https://x.example/by")["licenses"][0] == {
        "path": "https://x.example/by",
        "scope": "data",
    }


def test_ids__stay_apart() -> None:
    frames = [frame("a b", dive="a\nb"), frame("a\nb", dive="a b"), frame("a%20b", dive=" a b ")]
    assert faults(frames, job()) == []


def test_days__are_enough_for_the_package() -> None:
    of = job()
    found = faults([frame(captured=datetime(2015, 5, 1))], of)
    assert {each.partition(":")[0] for each in found} == {
        *("media.timestamp", "observations.eventStart", "observations.eventEnd"),
        *("deployments.deploymentStart", "deployments.deploymentEnd"),
    }
    assert of.notices() == (
        "1 frames have no time of day, which Camtrap DP requires; their timestamp is empty.",
    )


def test_what_is_not_known__is_said() -> None:
    of = job()
    found = faults([frame(captured=None, position=NOWHERE, file_name=".hidden/a.png")], of)
    assert any("temporal/start" in each for each in found)
    said = "\n".join(of.notices())
    assert "1 package has no first and last day" in said
    assert "1 deployments have no position" in said
    assert "1 files have names that Camtrap DP does not allow" in said


@settings(max_examples=_N, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(frames=odd_frames())
def test_odd_frames__are_valid_or_counted(frames: list[ExportFrame]) -> None:
    known = [
        replace(each, captured=datetime(2015, 5, 1, 10, 0, 1), position=_THERE)
        for each in [*frames, frame("the last")]
    ]
    of = job()
    found = faults(known, of)
    assert len(found) == sum(".." in each.file_name for each in known)
    assert bool(found) == bool(of.notices())
    of = job()
    found = faults([*frames, frame("the last")], of)
    assert {each.partition(":")[0] for each in found} <= _MAY_BE_MISSING
    assert bool(found) == bool(of.notices())
