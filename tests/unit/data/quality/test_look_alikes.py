"""Look-alikes: what a slow search of all pairs finds, in time and memory that hardly grow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finding_nemo.data.quality import look_alikes
from finding_nemo.data.quality.look_alikes import LookAlikes, find_look_alikes

Hashes = npt.NDArray[np.uint64]


def around(centre_seed: int, n: int, n_bits: int, seed: int = 0) -> Hashes:
    """Return hashes that each differ in `n_bits` from one."""
    centre = np.random.default_rng(centre_seed).integers(0, 2, 256, dtype=np.uint8)
    order = np.random.default_rng(seed).random((n, 256)).argsort(axis=1)
    return np.packbits(centre ^ (order < n_bits), axis=1).view(np.uint64)


def slow(
    hashes: Hashes, dives: Sequence[str | None], files: Sequence[str]
) -> tuple[set[int], set[int], list[tuple[int, int, int]]]:
    in_dive: set[int] = set()
    across: set[int] = set()
    pairs = []
    for a in range(len(hashes)):
        differing = np.bitwise_count(hashes[a] ^ hashes).sum(axis=1)
        for b in np.flatnonzero((differing <= 12) & (np.arange(len(hashes)) > a)).tolist():
            if not hashes[a].any() or not hashes[b].any():
                continue
            if dives[a] is not None and dives[a] == dives[b]:
                in_dive |= {a, b}
            elif files[a] != files[b]:
                across |= {a, b}
                pairs.append((a, b, int(differing[b])))
    return in_dive, across, sorted(pairs, key=lambda pair: (pair[2], pair[0], pair[1]))


def places(found: npt.NDArray[np.bool_]) -> set[int]:
    return set(np.flatnonzero(found).tolist())


def assert_settled(found: LookAlikes, hashes: Hashes, dives: Sequence[str | None]) -> None:
    in_dive, across, pairs = slow(hashes, dives, [str(n) for n in range(len(hashes))])
    assert found.is_complete
    assert places(found.in_dive) == in_dive
    assert places(found.across) == across
    assert set(found.pairs) <= set(pairs)
    assert bool(found.pairs) == bool(pairs)


def test_pairs__are_those_of_a_slow_search() -> None:
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**63, (40, 4), dtype=np.uint64)
    hashes[7] = hashes[3] ^ np.array([1, 2, 0, 4], dtype=np.uint64)
    hashes[9] = 0
    found = find_look_alikes(hashes, [None] * 40, [str(n) for n in range(40)])
    assert found.pairs == ((3, 7, 3),)
    assert places(found.across) == {3, 7}
    assert not found.in_dive.any()
    assert found.has_all_pairs
    assert found.is_complete


@pytest.mark.parametrize("n_bits", [12, 13])
def test_threshold__is_twelve_bits_wherever_they_lie(n_bits: int) -> None:
    for seed in range(50):
        pair = np.concatenate([around(seed, 1, 0), around(seed, 1, n_bits, seed)])
        found = find_look_alikes(pair, ["a", "b"], ["x", "y"])
        assert found.pairs == (((0, 1, 12),) if n_bits == 12 else ())


_IMAGES = st.lists(
    st.tuples(
        st.integers(0, 2),  # the scene
        st.integers(0, 14),  # bits off it
        st.sampled_from([None, "d1", "d2", "d3"]),
        st.integers(0, 10_000),
        st.booleans(),  # a copy of the image before it
    ),
    max_size=30,
)


@pytest.mark.parametrize("few", [64, 2])
@settings(derandomize=True, deadline=None, max_examples=40)
@given(images=_IMAGES)
def test_every_image__is_settled_as_by_a_slow_search(
    few: int, images: list[tuple[int, int, str | None, int, bool]]
) -> None:
    hashes = np.zeros((len(images), 4), dtype=np.uint64)
    files: list[str] = []
    for place, (scene, n_bits, _, seed, is_copy) in enumerate(images):
        copied = is_copy and place > 0
        hashes[place] = hashes[place - 1] if copied else around(scene, 1, n_bits, seed)[0]
        files.append(files[-1] if copied else f"{scene} {n_bits} {seed}")
    dives = [dive for _, _, dive, _, _ in images]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(look_alikes, "_FEW", few)
        found = find_look_alikes(hashes, dives, files)
    in_dive, across, pairs = slow(hashes, dives, files)
    assert (places(found.in_dive), places(found.across)) == (in_dive, across)
    assert set(found.pairs) <= set(pairs)
    if found.has_all_pairs and len(set(zip(dives, files, strict=True))) == len(images):
        assert list(found.pairs) == pairs[:200]


def test_fixed_camera__is_settled_by_few_comparisons() -> None:
    hashes = around(3, 600, 5)
    found = find_look_alikes(hashes, ["d1"] * 600, [str(n) for n in range(600)], most_comparisons=0)
    assert found.is_complete
    assert found.in_dive.all()
    assert not found.across.any()


@pytest.mark.parametrize("n_bits", [3, 6, 8, 11])
def test_two_fixed_cameras_and_a_stranger__are_settled(
    n_bits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look_alikes, "_FEW", 20)
    hashes = np.concatenate([around(3, 100, n_bits), around(4, 100, n_bits), around(5, 1, 0)])
    dives = ["d1"] * 50 + ["d2"] * 50 + ["d3"] * 100 + ["d4"]
    found = find_look_alikes(hashes, dives, [str(n) for n in range(201)])
    assert not found.has_all_pairs
    assert_settled(found, hashes, dives)


def test_frames_of_no_known_dive__are_across_to_each_other() -> None:
    hashes = around(3, 400, 6)
    found = find_look_alikes(hashes, [None] * 400, [str(n) for n in range(400)])
    assert found.across.all()
    assert not found.in_dive.any()
    assert len(found.pairs) == 200
    assert [bits for _, _, bits in found.pairs] == sorted(bits for _, _, bits in found.pairs)


def test_links_to_one_file__are_one_entry_a_dive() -> None:
    hashes = np.repeat(around(3, 1, 0), 50_000, axis=0)
    found = find_look_alikes(
        hashes, ["d1"] * 25_000 + ["d2"] * 25_000, ["same"] * 50_000, most_comparisons=0
    )
    assert found.in_dive.all()
    assert not found.across.any()
    assert found.is_complete


def test_out_of_comparisons__says_that_it_is_not_complete() -> None:
    # Some 40 bits from each other, a third of them in each chunk: no round settles anything.
    hashes = around(3, 600, 20)
    files = [str(n) for n in range(600)]
    assert find_look_alikes(hashes, [None] * 600, files).is_complete
    assert not find_look_alikes(hashes, [None] * 600, files, most_comparisons=0).is_complete


def test_no_image__looks_like_nothing() -> None:
    found = find_look_alikes(np.zeros((0, 4), dtype=np.uint64), [], [])
    assert found.pairs == ()
    assert found.in_dive.shape == (0,)
    assert found.is_complete
