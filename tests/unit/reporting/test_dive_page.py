"""The page as a file: what stands on it, and what lies beside it."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup
from PIL import Image
from typer.testing import CliRunner

from finding_nemo.cli.main import app
from finding_nemo.core.errors import OutputExistsError
from finding_nemo.marine.name_record import NameRecord
from finding_nemo.marine.names_file import write_names
from finding_nemo.marine.taxon import Taxon
from finding_nemo.reporting.dive.read_dive_frames import read_dive_frames
from finding_nemo.reporting.html.dive_page import set_lines, write_dive_page


@pytest.fixture
def predictions(dive_files: Any, tmp_path: Path) -> Path:
    """Twelve frames, of which eleven have images, and one could not be read."""
    (tmp_path / "images").mkdir()
    for number in range(11):
        Image.new("RGB", (64, 48), (9, 9, 99)).save(tmp_path / f"images/f{number}.png")
    rows = [dive_files.row(n, dive="Tow <7> & co", present=[1]) for n in range(11)]
    rows[3] |= {"probabilities": [0.2, 0.2, 0.1], "unusualness": 0.999, "present": []}
    rows.append(dive_files.row(11, dive="Tow <7> & co", failure="is empty"))
    return Path(dive_files.write(tmp_path / "d.parquet", rows))


def test_page__places_names_in_the_tree_where_that_is_known(
    predictions: Path, tmp_path: Path
) -> None:
    names = tmp_path / "d.parquet.names.csv"
    crabs = (Taxon("Brachyura", "infraorder"),)
    crab = NameRecord(
        name="crab", accepted="Brachyura", rank="infraorder", lineage=crabs, how="WoRMS"
    )
    write_names((crab,), names)
    found = read_dive_frames(predictions)
    write_dive_page(found, tmp_path / "p.html", title="t", names_file=names)
    assert 'title="crab (infraorder): ' in (tmp_path / "p.html").read_text()
    assert r"\"infraorder\"]" in (tmp_path / "p_files/frames.js").read_text()
    write_dive_page(found, tmp_path / "q.html", title="t")
    assert 'title="crab: ' in (tmp_path / "q.html").read_text()
    for name, shown in (("p", "Infraorder: crab"), ("q", "crab")):
        assert f'<span class="name">{shown}</span>' in (tmp_path / f"{name}.html").read_text()
        assert f'[\\"{shown}\\",' in (tmp_path / f"{name}_files/frames.js").read_text()


def test_page__shows_an_answer_by_rank_with_its_rank(dive_files: Any, tmp_path: Path) -> None:
    rows = [
        dive_files.row(n, answer="Squids", answer_level=level, confidence="sure", look_first=n + 1)
        for n, level in enumerate(("order", "order"))
    ]
    rows.append(dive_files.row(2, answer="Fish", answer_level="supercategory", confidence="sure"))
    rows.append(dive_files.row(3, answer="Odd", answer_level="<b>", confidence="sure"))
    found = read_dive_frames(dive_files.write(tmp_path / "d.parquet", rows))
    assert [(name.text, name.rank) for name in found.names[3:]] == [
        ("Squids", "order"),
        ("Fish", ""),
        ("Odd", ""),
    ]
    write_dive_page(found, tmp_path / "p.html", title="t")
    page = (tmp_path / "p.html").read_text()
    assert "Most often Order: Squids (2 frames, all sure)" in page
    assert 'title="Squids (order): sure 2"' in page
    assert "<b>Order: Squids</b>" in page
    assert (
        r"[\"Order: Squids\",\"\",null,null,\"order\"]"
        in (tmp_path / "p_files/frames.js").read_text()
    )
    # Tables are for programs: the name alone.
    assert "Order: " not in "".join(path.read_text() for path in tmp_path.glob("*.csv"))


def test_page__says_what_was_seen_and_what_to_look_at(predictions: Path, tmp_path: Path) -> None:
    found = read_dive_frames(predictions)
    written = write_dive_page(
        found, tmp_path / "p.html", title="unused", images=tmp_path / "images"
    )
    page = (tmp_path / "p.html").read_text()
    assert "<h1>Tow &lt;7&gt; &amp; co</h1>" in page
    assert "Most often crab (11 frames, 10 sure)." in page
    assert "91&nbsp;% of the answers are “sure” and 9&nbsp;% “guess”." in page
    assert "1 frame could not be read; the reason: “is empty”." in page
    assert "Unlike anything the model was checked on." in page
    assert 'Bundle probe (0123456789ab), predicted on <span class="date">2026-03-04</span>' in page
    assert 'href="./images/f3.png" data-frame="3"' in page
    assert 'src="p_files/look-1.jpg"' in page
    assert "Tow <7>" not in page
    assert written.notices == (
        f"1 of 12 image files are not in {tmp_path / 'images'}, so these frames have no picture.",
    )
    assert "http" not in page.replace("http://www.w3.org", "")
    beside = {path.name for path in (tmp_path / "p_files").iterdir()}
    assert beside == {
        ".finding-nemo-output",
        "frames.js",
        "look-1.jpg",
        "look-2.jpg",
        "sheet-0000.jpg",
    }


def test_tables__lie_beside_it(predictions: Path, tmp_path: Path) -> None:
    write_dive_page(read_dive_frames(predictions), tmp_path / "p.html", title="")
    with (tmp_path / "p.counts.csv").open(encoding="utf-8-sig", newline="") as file:
        counts = list(csv.DictReader(file))
    assert [(row["name"], row["frames"], row["sure_frames"]) for row in counts] == [
        ("crab", "11", "10")
    ]
    with (tmp_path / "p.effort.csv").open(encoding="utf-8-sig", newline="") as file:
        (effort,) = csv.DictReader(file)
    assert effort == {
        "dive": "Tow <7> & co",
        "hour": "",
        "depth_from_m": "",
        "depth_to_m": "",
        "frames": "12",
        "readable_frames": "11",
        "named_frames": "10",
        "unusual_frames": "1",
        "clips": "1",
    }


def test_without_images__the_page_is_written_and_says_so(predictions: Path, tmp_path: Path) -> None:
    written = write_dive_page(read_dive_frames(predictions), tmp_path / "p.html", title="")
    assert written.notices == (
        "No image file is where the predictions say, so these frames have no picture; --images "
        "names their folder.",
    )
    assert written.notices[0] in (tmp_path / "p.html").read_text()
    assert not list((tmp_path / "p_files").glob("*.jpg"))
    with pytest.raises(OutputExistsError):
        write_dive_page(read_dive_frames(predictions), tmp_path / "p.html", title="")


def test_warning__comes_first(dive_files: Any, tmp_path: Path) -> None:
    message = "These frames look unlike those of the training."
    told = {"verdict": "foreign", "message": message}
    path = dive_files.write(tmp_path / "d.parquet", [dive_files.row(0)], domain_check=told)
    write_dive_page(read_dive_frames(path), tmp_path / "p.html", title="My frames")
    page = (tmp_path / "p.html").read_text()
    assert "<h1>My frames</h1>" in page
    assert page.index(message) < page.index("Most often crab")


def test_verb__writes_the_page_and_names_its_tables(predictions: Path, tmp_path: Path) -> None:
    out = tmp_path / "verb/p.html"
    words = ["report", str(predictions), "--images", str(tmp_path / "images"), "--out", str(out)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert f"page {out}" in done.output
    assert "p.counts.csv" in done.output
    assert out.is_file()
    assert CliRunner().invoke(app, [*words[:-1], str(tmp_path / "p.csv")]).exit_code == 2


@pytest.mark.parametrize(
    ("moments", "lead"),
    [
        ((datetime(2015, 5, 7), datetime(2015, 5, 9)), "2 frames, 2015-05-07 to 2015-05-09"),
        ((datetime(2015, 5, 7), datetime(2015, 5, 7)), "2 frames, 2015-05-07"),
        (
            (datetime(2015, 5, 7, 9, 30), datetime(2015, 5, 7, 8)),
            "2 frames, 2015-05-07 08:00 to 09:30",
        ),
    ],
)
def test_lead__says_when(
    moments: tuple[datetime, ...], lead: str, dive_files: Any, tmp_path: Path
) -> None:
    rows = [dive_files.row(n, captured=moment) for n, moment in enumerate(moments)]
    path = dive_files.write(tmp_path / "d.parquet", rows)
    write_dive_page(read_dive_frames(path), tmp_path / "p.html", title="t")
    assert f"<p>{lead}</p>" in (tmp_path / "p.html").read_text()


def test_lines__break_after_underscores_and_never_in_dates() -> None:
    assert set_lines("a_b <i> 3 % on 2026-03-04") == Markup(
        'a_<wbr>b &lt;i&gt; 3&nbsp;% on <span class="date">2026-03-04</span>'
    )


def test_survey__stands_on_the_page_and_in_tables(dive_files: Any, tmp_path: Path) -> None:
    point = {
        **{"is_reached": True, "precision": 0.9, "precision_low": 0.8, "precision_high": 1.0},
        **{"recall": 0.8, "recall_low": 0.7, "recall_high": 0.9},
        **{"false_positive_rate": 0.0, "false_positive_low": 0.0, "false_positive_high": 0.1},
    }
    never = {"is_reached": False, "false_positive_rate": None}
    noon = datetime(2015, 5, 7, 12)
    rows = [
        dive_files.row(n, dive="<i>", captured=noon.replace(minute=n), present=[1] if n < 4 else [])
        for n in range(10)
    ]
    path = dive_files.write(tmp_path / "d.parquet", rows, operating_points=[point, never, never])
    track = tmp_path / "nav.csv"
    track.write_text("time,depth\n2015-05-07T12:00:00,140\n2015-05-07T12:09:00,158\n")
    page = tmp_path / "p.html"
    words = ["report", str(path), "--out", str(page), "--navigation", str(track)]
    done = CliRunner().invoke(app, [*words, "--max-gap", "900", "--depth-band", "50"])
    assert done.exit_code == 0, done.output
    text = page.read_text()
    assert "<h2>Shares of frames</h2>" in text
    assert "<td>crab</td>" in text
    assert ">50 % (" in text  # 0.4 named, of which the bundle finds 0.8
    assert "100 to 150 m" in text
    assert "150 to 200 m" in text
    assert "1 categories" not in text
    with (tmp_path / "p.shares.csv").open(encoding="utf-8-sig", newline="") as file:
        whole, *bands = csv.DictReader(file)
    assert (whole["scope"], whole["corrected_share"]) == ("all", "0.5000")
    assert [(row["scope"], row["depth_from_m"], row["named_frames"]) for row in bands] == [
        ("depth", "100", "4"),
        ("depth", "150", "0"),
    ]
    with (tmp_path / "p.accumulation.csv").open(encoding="utf-8-sig", newline="") as file:
        assert {row["unit"] for row in csv.DictReader(file)} == {"frames", "clips"}
