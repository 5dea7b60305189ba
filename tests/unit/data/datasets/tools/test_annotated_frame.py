"""What the file of an address may be called."""

from __future__ import annotations

from finding_nemo.data.datasets.tools.annotated_frame import names_of_addresses


def test_names__the_longest_path_first_and_the_files_own_name_last() -> None:
    (names,) = names_of_addresses(["https://h/dives/D%201/a.png?size=1#x"])
    assert names == ("dives/D 1/a.png", "D 1/a.png", "a.png")
    assert names_of_addresses(["s3://bucket/k/a.png"]) == [("k/a.png", "a.png")]


def test_names__are_whole_paths_where_files_share_a_name() -> None:
    names = names_of_addresses(["https://h/D1/a.png", "https://h/D2/a.png", "https://h/b.png"])
    assert [each[-1] for each in names] == ["D1/a.png", "D2/a.png", "b.png"]


def test_names__never_climb_out() -> None:
    for address in ("https://h/../../etc/passwd", "https://h/..%2f..%2fx.png", "https://h//a"):
        for name in names_of_addresses([address])[0]:
            assert ".." not in name.split("/")
            assert not name.startswith("/")
