"""Tables of taxa of one's own: by hand, refused with their line, and never a crash."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finding_nemo.core.errors import NamesError
from finding_nemo.marine.resolve_names import resolve_name
from finding_nemo.marine.taxa_file import read_taxa
from finding_nemo.marine.taxonomy_table import shipped_table

GOOD = """name,rank,parent
Drawn animals,phylum,
Drawn stars,class,Drawn animals
Sun star,species,Drawn stars
My crab,species,Munida
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "taxa.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table__gives_the_lineage_of_its_names_and_stands_before_the_packages(
    tmp_path: Path,
) -> None:
    table = read_taxa(write(tmp_path, GOOD))
    star = resolve_name("sun_star", table=table)
    assert [(taxon.rank, taxon.name) for taxon in star.lineage] == [
        ("phylum", "Drawn animals"),
        ("class", "Drawn stars"),
        ("species", "Sun star"),
    ]
    assert resolve_name("My crab", table=table).at_rank("family") == "Munididae"
    assert resolve_name("Munida", table=table) == resolve_name("Munida")
    assert not resolve_name("Sun star").is_resolved


def test_a_hash__tells_tables_apart_and_not_the_order_of_their_lines(tmp_path: Path) -> None:
    head, *lines = GOOD.splitlines()
    turned = "\n".join([head, *reversed(lines)])
    first, second, third = (
        read_taxa(write(tmp_path, text)).content_hash()
        for text in (GOOD, turned, GOOD.replace("class", "order"))
    )
    assert first == second
    assert len({first, third, shipped_table().content_hash()}) == 3


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("name,rank\na,genus\n", "parent"),
        ("name,rank,parent\n", "holds no taxon"),
        ("name,rank,parent\n,genus,\n", "line 2: a taxon needs a name"),
        ("name,rank,parent\na,genus,\na,genus,\n", "line 3: 'a' is there twice"),
        ("name,rank,parent\na,GENUS!,\n", "line 2: 'GENUS!' is no rank"),
        ("name,rank,parent\na,genus,b\n", "line 2: the parent 'b' is no taxon"),
        ("name,rank,parent\na,genus,b\nb,family,a\n", "line 2: 'a' stands above itself"),
        ("name,rank,parent,aphia_id\na,genus,,x\n", "line 2: 'x' is no AphiaID"),
    ],
)
def test_what_is_wrong__is_said_with_its_line(tmp_path: Path, text: str, wanted: str) -> None:
    with pytest.raises(NamesError, match=wanted):
        read_taxa(write(tmp_path, text))


CELLS = st.sampled_from(
    ["", "a", "b", "Munida", "genus", "family", '"', "=1", "\u00e9", "a b", ";"]
)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=5))
def test_any_table__is_read_or_refused(rows: list[tuple[str, str, str]]) -> None:
    text = "name,rank,parent\n" + "".join(",".join(row) + "\n" for row in rows)
    with tempfile.TemporaryDirectory() as folder:
        try:
            table = read_taxa(write(Path(folder), text))
        except NamesError as error:
            refused = str(error)
        else:
            refused = "taxa.csv" if all(table.lineage(name) for name in table.taxa) else ""
    assert "taxa.csv" in refused
