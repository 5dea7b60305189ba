"""Text and tables from any program: encodings, newlines, separators, and what is refused."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finding_nemo.core.config import json_or_text, read_toml
from finding_nemo.core.errors import AnnotationError, DatasetError, SettingsError
from finding_nemo.core.files.input_limits import InputLimits
from finding_nemo.core.files.table_files import TableWriter, columns_in, read_table
from finding_nemo.core.files.text_files import read_text, text_lines
from finding_nemo.core.text.cells import defused, is_nothing, number_in, undefused, whole_number_in
from finding_nemo.core.text.json_text import parse_json

_TEXT = "a.jpg\nKöder 螃蟹 🦀.jpg\nb.jpg\n"


def table_of(tmp_path: Path, content: str | bytes, *required: str) -> list[dict[str, str]]:
    path = tmp_path / "t.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    rows = read_table(path, required=required or ("id", "categories"), refusal=AnnotationError)
    return [row.values for row in rows.rows]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_text__is_the_same_from_every_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(_TEXT.encode(encoding))
    assert read_text(path, refusal=DatasetError) == _TEXT


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_lines__end_with_any_newline(newline: str, encoding: str) -> None:
    stream = io.BytesIO(newline.join(["a", "", "b\x0b\u2028c"]).encode(encoding))
    lines = [line.rstrip("\r\n") for line in text_lines(stream, "x", refusal=DatasetError)]
    assert lines == ["a", "", "b\x0b\u2028c"]


def test_lines__across_the_chunks_in_which_a_file_is_read() -> None:
    expected = ["é" * 700_000, "b" * 1_048_575, "🦀", "end"]
    stream = io.BytesIO("\r\n".join(expected).encode())
    found = [line.rstrip("\r\n") for line in text_lines(stream, "x", refusal=DatasetError)]
    assert found == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(
            b"a\nb\ncaf\xe9.jpg\n",
            r"line 3: byte 0xe9 \(number 8 of the file\) is not UTF-8\. Save the file as UTF-8",
            id="latin-1",
        ),
        pytest.param(b"a\nb\0c\n", "line 2: holds a zero byte", id="zero-byte"),
        pytest.param(b"\xff\xfea\0\n\0\x00\xd8\n\0", "line 2: .*is not UTF-16", id="half-a-pair"),
        pytest.param(b"\xff\xfea\0\n", r"is not UTF-16", id="cut-utf-16"),
    ],
)
def test_text__that_cannot_be_decoded_is_refused_with_its_place(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "list.txt"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        read_text(path, refusal=DatasetError)


def test_text__only_of_regular_files_and_within_the_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, message in (
        (tmp_path / "pipe", "is a pipe or a device"),
        (Path("/dev/zero"), "is a pipe or a device"),
        (tmp_path, "is a folder"),
        (tmp_path / "gone", "does not exist"),
        (tmp_path / ("x" * 5000), "cannot be read"),
    ):
        with pytest.raises(DatasetError, match=message):
            read_text(path, refusal=DatasetError)
    monkeypatch.setattr("finding_nemo.core.files.text_files._MAX_LINE_CHARACTERS", 1000)
    with pytest.raises(DatasetError, match="a line of more than 1,000 characters"):
        list(text_lines(io.BytesIO(b"x" * 3_000_000), "x", refusal=DatasetError))

    small = InputLimits(max_text_bytes=2 << 20)
    monkeypatch.setattr("finding_nemo.core.files.text_files.USUAL_LIMITS", small)
    with pytest.raises(DatasetError, match="holds more than 2 MB"):
        list(text_lines(io.BytesIO(b"x\n" * 1_048_577), "x", refusal=DatasetError))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("id,categories\na,1 9\nb,2\n", id="comma"),
        pytest.param("id;categories\na;1 9\nb;2\n", id="semicolon"),
        pytest.param("id\tcategories\na\t1 9\nb\t2\n", id="tab"),
        pytest.param("sep=;\nid;categories\na;1 9\nb;2\n", id="sep-line"),
        pytest.param('"sep=|"\r\nid|categories\r\na|1 9\r\nb|2\r\n', id="sep-bar"),
        pytest.param('"ID","Categories "\n"a","1 9"\n"b","2"\n', id="case-and-blanks"),
        pytest.param("id,categories\ra,1 9\rb,2\r", id="bare-cr"),
        pytest.param("\n,,\nid,categories\n\na,1 9\n,\n  , \nb,2\n,\n\n", id="blank-rows"),
        pytest.param("\ufeffid;categories\n\na;1 9\nb;2".encode("utf-16-le"), id="utf-16"),
        pytest.param("id, categories\na, 1 9\nb, 2\n", id="blank-after-comma"),
    ],
)
def test_table__is_the_same_however_it_was_saved(tmp_path: Path, content: str | bytes) -> None:
    assert table_of(tmp_path, content) == [
        {"id": "a", "categories": "1 9"},
        {"id": "b", "categories": "2"},
    ]


def test_table__the_separator_is_the_one_that_gives_the_needed_columns(tmp_path: Path) -> None:
    content = 'path;categories;note\na.png;"x;y";1,5\n'
    (row,) = table_of(tmp_path, content, "path", "categories")
    assert row == {"path": "a.png", "categories": "x;y", "note": "1,5"}


def test_table__row_numbers_of_pandas_have_no_name(tmp_path: Path) -> None:
    (row,) = table_of(tmp_path, ",id,categories\n0,a,1\n")
    assert (row["id"], row["categories"]) == ("a", "1")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("id,categories\na,1,2\n", "line 2: 3 fields where the header has 2", id="3"),
        pytest.param("id,categories\na,1\nb\n", "line 3: 1 fields where the header has 2", id="1"),
        pytest.param('id,categories\na,"1\n2"\nb\n', "line 4: 1 fields", id="lines-in-a-cell"),
        pytest.param("id,categories,id\na,1,b\n", "line 1: column id is there twice", id="twice"),
        pytest.param(
            "id,categories,,\na,1,,7\n",
            "line 2: '7' stands in column 4, which has no",
            id="nameless",
        ),
        pytest.param('id,categories\na,"1\n', "line 2: not CSV", id="open-quote"),
        pytest.param('id,categories\na,"1"x\n', "line 2: not CSV", id="behind-a-quote"),
        pytest.param(
            "id,categories\na," + "x" * 200_000, "line 2: not CSV .*limit", id="huge-cell"
        ),
        pytest.param("id|categories\na|1\n", "column id, categories is missing", id="bars"),
        pytest.param("", "line 1: column id, categories is missing; .* has nothing", id="empty"),
    ],
)
def test_table__faults_are_told_with_their_line(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(AnnotationError, match=message):
        table_of(tmp_path, content)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
        | st.text("=+-@'\t\r\n \"a,;", max_size=6),
        min_size=2,
        max_size=2,
    )
)
def test_table__what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, cells: list[str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "round.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = TableWriter(file)
        writer.write(("key", "id", "categories"))
        writer.write(("x", *cells))
    text = path.read_bytes().decode()
    (row,) = read_table(path, required=("id", "categories"), refusal=AnnotationError).rows
    assert [undefused(row.values[name]) for name in ("id", "categories")] == cells
    assert all(row.values[name][:1] not in "=+-@\t\r\n" for name in row.values if row.values[name])
    assert text.endswith("\n")


def test_defused__text_only_and_each_apostrophe_once() -> None:
    texts = ["=1+1", "+x", "-0.5", "@a", "\tx", "'=x", "''-", "'t Zand", "plain", "", "'", " a"]
    safe = [defused(text) for text in texts]
    assert safe == [
        "'=1+1",
        "'+x",
        "'-0.5",
        "'@a",
        "'\tx",
        "''=x",
        "'''-",
        "'t Zand",
        "plain",
        "",
        "'",
        "' a",
    ]
    assert [undefused(text) for text in safe] == texts
    out = io.StringIO()
    TableWriter(out).write(("=x", -0.5, None, [-1.5, 2.0], 7))
    assert out.getvalue() == "'=x,-0.5,,-1.5 2.0,7\n"


def test_numbers__as_people_write_them() -> None:
    assert [number_in(text) for text in (" 0.5", "-3", ".5", "1e-3", "36.")] == [
        0.5,
        -3.0,
        0.5,
        0.001,
        36.0,
    ]
    assert number_in("0,25", decimal_comma=True) == 0.25
    assert whole_number_in("36.0") == 36
    for text in ("", "nan", "inf", "1_0", "0,25", "\u0663", "0x1", "1 2", "9" * 100):
        with pytest.raises(ValueError, match="is not a number"):
            number_in(text)
    with pytest.raises(ValueError, match="not a whole number"):
        whole_number_in("1.5")
    with pytest.raises(ValueError, match="32 bits"):
        whole_number_in("1e300")
    assert all(map(is_nothing, ("", " ", "NaN", "None", "null", "N/A", "-", "<NA>")))
    assert not any(map(is_nothing, ("0", "nancy", "no", "unknown")))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("[" * 200_000, "nested too deep", id="nested"),
        pytest.param('{"a": ' + "9" * 5000 + "}", "thousands of digits", id="digits"),
        pytest.param('{"a": 1,\n"a": 2}', "the key 'a' is there twice", id="twice"),
        pytest.param('{"a": 1}\n{"b": 2}', "line 2, column 1: not JSON", id="behind"),
        pytest.param('{"a": [1, 2', "line 1, .*Was the file cut off", id="cut"),
    ],
)
def test_json__every_fault_is_one_message(text: str, message: str) -> None:
    with pytest.raises(AnnotationError, match=message):
        parse_json(text, "x.json", refusal=AnnotationError)


def test_toml__from_any_encoding_and_every_fault_is_one_message(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_bytes("epochs = 3\r\n".encode("utf-16"))
    assert read_toml(path) == {"epochs": 3}
    for content in (b"epochs = ", b"a = " + b"[" * 100_000, b"a = " + b"9" * 5000, b"a = '\xe9'"):
        path.write_bytes(content)
        with pytest.raises(SettingsError, match="c.toml"):
            read_toml(path)
    assert json_or_text("9" * 5000) == "9" * 5000
    assert json_or_text("[" * 200_000) == "[" * 200_000


@pytest.mark.parametrize(
    ("head", "columns"),
    [
        pytest.param("", ("",), id="nothing"),
        pytest.param("ID, Categories\na,1\n", ("id", "categories"), id="commas"),
        pytest.param(';;\nsep=;\n"id";"a b"\n', ("id", "a b"), id="sep-line"),
        pytest.param("id\tdive,part", ("id", "dive", "part"), id="cut-off"),
    ],
)
def test_columns_in__a_first_part(head: str, columns: tuple[str, ...]) -> None:
    assert columns_in(head) == columns
