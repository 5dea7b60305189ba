"""Which frames look alike, without comparing every one with every other.

Two hashes that differ in at most 12 of 256 bits agree in at least one of 13 chunks of their bits
(the pigeonhole principle), so only frames that share a chunk are compared. Of 2,500 real frames
that leaves 23,000 of 3.1 million pairs, and at most 44 frames share a chunk.

A fixed camera is the opposite: 100,000 frames share most chunks, and their pairs are five
thousand million. There one frame is compared with all that share the chunk: every one that is
near it has thereby found a look-alike, and every one that is far enough from the nearest stranger
has none; neither need be compared itself. Frames that a few such rounds leave open are compared
with all, in blocks: quadratic, 5 ns a pair, up to a bound. So each frame's answer is exact, while
the pairs that are listed are those that were met.

Source: M. Norouzi, A. Punjani and D. J. Fleet, "Fast Search in Hamming Space with Multi-Index
Hashing", CVPR 2012 (the chunks).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# Of 256 bits. Unrelated frames differ in 128 on average, for each bit is balanced; frames of
# one camera share overlaid text and the fall of its light: of 5,768 TrashCan frames the most alike
# two of different dives differ in 14 bits and show different animals.
NEAR_BITS = 12
_BITS = 256
_CHUNKS = NEAR_BITS + 1
# A chunk that more frames share is not compared pair by pair.
_FEW = 64
_MOST_PAIRS = 200
# That many of it are compared with all of it; what they leave open is compared with everything.
_TRIES = 24
# 5 ns each: a minute and a half. Enough for 140,000 frames that leave all open; reading the files
# of so many takes an hour.
_MOST_COMPARISONS = 20_000_000_000
# 131,072 pairs, 1 MB a word, stay in the processor's cache.
_ROWS_AT_ONCE = 64
_COLUMNS_AT_ONCE = 2048

_Numbers = npt.NDArray[np.int64]
_Bits = npt.NDArray[np.uint16]
_Truth = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class LookAlikes:
    """Which images look alike: their hashes differ in 12 of 256 bits at most.

    Attributes:
        in_dive: Shape (images,): has a look-alike in its own dive.
        across: Shape (images,): has a look-alike in another dive, or of an unknown dive, that is
            another file.
        pairs: (first, second, differing bits) of such look-alikes across dives, most alike first,
            at most 200. Files that are equal in one dive are named by their first.
        has_all_pairs: Whether `pairs` are the most alike of all. Otherwise more than 64 frames
            shared a chunk, and they are the most alike of those that were compared.
        is_complete: Whether every comparison was made. Otherwise there may be more look-alikes.
    """

    in_dive: _Truth
    across: _Truth
    pairs: tuple[tuple[int, int, int], ...]
    has_all_pairs: bool
    is_complete: bool


def find_look_alikes(
    hashes: npt.NDArray[np.uint64],
    dives: Sequence[str | None],
    files: Sequence[str],
    *,
    most_comparisons: int = _MOST_COMPARISONS,
) -> LookAlikes:
    """Find each image's look-alikes within its dive and across dives.

    Memory grows with the images, not with their pairs. Time too, where frames are unlike (few
    share a chunk) or alike (few comparisons settle all). Between the two, where many share chunks
    and few are near, it grows with the square, until `most_comparisons`.

    Args:
        hashes: Shape (images, 4), from `scene_hash`; all zeros look like nothing.
        dives: Each image's dive; `None` is of no known dive, and so across to all.
        files: What is equal for equal files: these are no look-alikes across dives.
        most_comparisons: When to give up on those that are open still.
    """
    used = np.flatnonzero(hashes.any(axis=1))
    dive_of, file_of = _coded(dives)[used], _coded(files)[used]
    # Equal files of one dive are one entry.
    _, first, entry_of, copies = np.unique(
        np.stack([dive_of, file_of]),
        axis=1,
        return_index=True,
        return_inverse=True,
        return_counts=True,
    )
    search = _Search(hashes[used[first]], dive_of[first], file_of[first], most_comparisons)
    search.in_dive |= (copies > 1) & (search.dives >= 0)
    search.run()
    entry_of = entry_of.reshape(-1)
    in_dive, across = np.zeros((2, len(hashes)), dtype=np.bool_)
    in_dive[used], across[used] = search.in_dive[entry_of], search.across[entry_of]
    positions = used[first]
    return LookAlikes(
        in_dive=in_dive,
        across=across,
        pairs=_named(search.pairs, positions),
        has_all_pairs=search.has_all_pairs,
        is_complete=search.is_complete,
    )


def _coded(values: Sequence[Hashable]) -> _Numbers:
    """Return a number for each value, the same for equal ones; -1 for `None`."""
    codes: dict[Hashable, int] = {None: -1}
    return np.array([codes.setdefault(value, len(codes) - 1) for value in values], dtype=np.int64)


def _named(pairs: _Numbers, positions: _Numbers) -> tuple[tuple[int, int, int], ...]:
    found = [(*sorted((int(positions[a]), int(positions[b]))), int(bits)) for a, b, bits in pairs]
    return tuple(sorted(((a, b, bits) for a, b, bits in found), key=lambda p: (p[2], p[0], p[1])))


class _Search:
    """What is known so far of each entry (the equal files of one dive)."""

    def __init__(
        self,
        hashes: npt.NDArray[np.uint64],
        dives: _Numbers,
        files: _Numbers,
        most_comparisons: int,
    ) -> None:
        # One row a word: comparing one hash with many then runs along memory.
        self.words = np.ascontiguousarray(hashes.T)
        self.dives = dives
        self.files = files
        self.in_dive = np.zeros(len(hashes), dtype=np.bool_)
        self.across = np.zeros(len(hashes), dtype=np.bool_)
        self.pairs = np.zeros((0, 3), dtype=np.int64)
        self.has_all_pairs = True
        self.is_complete = True
        self.comparisons_left = most_comparisons
        self.open_in_dive = np.zeros(len(hashes), dtype=np.bool_)
        self.open_across = np.zeros(len(hashes), dtype=np.bool_)

    def run(self) -> None:
        """Settle every entry."""
        for keys in _chunks(self.words):
            order = np.lexsort((self.dives, keys))
            new_key = _is_new(keys[order])
            new_dive = new_key | _is_new(self.dives[order])
            of_a_dive = self.dives[order] >= 0
            for group in self._compare_few(order, new_dive, of_a_dive):
                self._settle_in_dive(group)
            for group in self._compare_few(order, new_key, np.ones_like(of_a_dive)):
                self.has_all_pairs = False
                self._settle_across(group)
        self._compare_open()

    def _compare_few(self, order: _Numbers, is_new: _Truth, wanted: _Truth) -> list[_Numbers]:
        """Compare every two of each group of at most 64; return the larger groups."""
        starts = np.flatnonzero(is_new)
        sizes = np.diff(np.append(starts, len(order)))
        after = np.repeat(starts + sizes, sizes) - np.arange(len(order)) - 1
        step, positions = 1, np.flatnonzero(np.repeat(sizes <= _FEW, sizes) & wanted & (after > 0))
        while positions.size:
            self._compare(order[positions], order[positions + step])
            step += 1
            positions = positions[after[positions] >= step]
        large = np.flatnonzero((sizes > _FEW) & wanted[starts])
        return [order[starts[n] : starts[n] + sizes[n]] for n in large]

    def _compare(self, first: _Numbers, second: _Numbers) -> None:
        bits = _differing(self.words[:, first], self.words[:, second])
        near = bits <= NEAR_BITS
        self._mark(first[near], second[near], bits[near])

    def _compare_open(self) -> None:
        """Compare the entries that nothing has settled with all, as far as the budget goes."""
        is_open = (self.open_in_dive & ~self.in_dive) | (self.open_across & ~self.across)
        order = np.append(np.flatnonzero(is_open), np.flatnonzero(~is_open))
        for start in range(0, int(is_open.sum()), _ROWS_AT_ONCE):
            rows = order[start : min(start + _ROWS_AT_ONCE, int(is_open.sum()))]
            self.comparisons_left -= len(rows) * (len(order) - start)
            if self.comparisons_left < 0:
                self.is_complete = False
                return
            for left in range(start, len(order), _COLUMNS_AT_ONCE):
                others = order[left : left + _COLUMNS_AT_ONCE]
                words = self.words[:, rows, np.newaxis], self.words[:, np.newaxis, others]
                bits = _differing(*words)
                a, b = np.nonzero(bits <= NEAR_BITS)
                distinct = rows[a] != others[b]
                a, b = a[distinct], b[distinct]
                self._mark(rows[a], others[b], bits[a, b])

    def _mark(self, first: _Numbers, second: _Numbers, bits: _Bits) -> None:
        """Note pairs that are near."""
        same = self._same_dive(first, second)
        self.in_dive[first[same]] = self.in_dive[second[same]] = True
        other = ~same & (self.files[first] != self.files[second])
        first, second = first[other], second[other]
        self.across[first] = self.across[second] = True
        self._keep(np.minimum(first, second), np.maximum(first, second), bits[other])

    def _same_dive(self, first: _Numbers | np.int64, second: _Numbers) -> _Truth:
        return np.asarray((self.dives[first] == self.dives[second]) & (self.dives[second] >= 0))

    def _keep(self, first: _Numbers, second: _Numbers, bits: _Bits) -> None:
        """Keep the most alike pairs of those known and these."""
        if len(first) > _MOST_PAIRS:
            best = np.argsort(bits, kind="stable")[:_MOST_PAIRS]
            first, second, bits = first[best], second[best], bits[best]
        met = np.stack([bits.astype(np.int64), first, second], axis=1)
        known = self.pairs[:, [2, 0, 1]]
        # Sorted by bits, then by place; a pair may be met in several chunks.
        best = np.unique(np.concatenate([known, met]), axis=0)[:_MOST_PAIRS]
        self.pairs = best[:, [1, 2, 0]]

    def _settle_in_dive(self, group: _Numbers) -> None:
        """Compare a few of a large group of one dive with all of it, each settling many."""
        words = self.words[:, group]
        for _ in range(_TRIES):
            untried = np.flatnonzero(~self.in_dive[group])
            if not untried.size:
                return
            one = untried[len(untried) // 2]
            near = _differing(words, words[:, one, np.newaxis]) <= NEAR_BITS
            if near.sum() > 1:
                self.in_dive[group[near]] = True
        self.open_in_dive[group[~self.in_dive[group]]] = True

    def _settle_across(self, group: _Numbers) -> None:
        """Compare a few of a large group with all of it, each settling many."""
        words = self.words[:, group]
        is_open = ~self.across[group]
        for _ in range(_TRIES):
            positions = np.flatnonzero(is_open)
            if not positions.size:
                return
            position = positions[len(positions) // 2]
            is_open[position] = False
            bits = _differing(words, words[:, position, np.newaxis])
            partner = self._note_near(group, position, bits)
            if partner is None:
                is_open[self._settled_too(group, position, bits)] = False
                continue
            # Most of this frame's own dive may be near its partner.
            self._note_near(group, partner, _differing(words, words[:, partner, np.newaxis]))
            is_open &= ~self.across[group]
        self.open_across[group[is_open]] = True

    def _note_near(self, members: _Numbers, position: np.int64, bits: _Bits) -> np.int64 | None:
        """Note who is near `position` across dives; return the nearest, if there is one."""
        one = members[position]
        is_near = bits <= NEAR_BITS
        is_near &= ~self._same_dive(one, members) & (self.files[members] != self.files[one])
        near = np.flatnonzero(is_near)
        if not near.size:
            return None
        self._mark(np.full(len(near), one), members[near], bits[near])
        nearest: np.int64 = near[np.argmin(bits[near])]
        return nearest

    def _settled_too(self, members: _Numbers, position: np.int64, bits: _Bits) -> _Truth:
        """Return who has no look-alike across dives here because `position` has none.

        If the nearest frame of another dive is D bits from it, then (the triangle inequality) it is
        more than 12 bits from all of its own dive that are less than D - 12 bits from it.
        """
        same = self._same_dive(members[position], members)
        nearest = int(bits[~same].min(initial=2 * _BITS))
        return np.asarray(same & (bits < nearest - NEAR_BITS))


def _chunks(words: npt.NDArray[np.uint64]) -> Iterator[_Numbers]:
    """Yield, for each chunk of the bits, a number for each hash: equal where the chunk is.

    A chunk takes every 13th bit. Neighbouring bits are waves of nearly the same length, which
    frames tend to share; spread ones are more their own.
    """
    bits = np.unpackbits(np.ascontiguousarray(words.T).view(np.uint8), axis=1)
    for chunk in range(_CHUNKS):
        packed = bits[:, chunk::_CHUNKS]
        yield packed @ (1 << np.arange(packed.shape[1], dtype=np.int64))


def _is_new(values: _Numbers) -> _Truth:
    """Return which values are not those before them."""
    return np.append(np.ones(min(len(values), 1), dtype=np.bool_), np.diff(values) != 0)


def _differing(words: npt.NDArray[np.uint64], others: npt.NDArray[np.uint64]) -> _Bits:
    """Return in how many bits hashes differ, each a column of words."""
    bits: _Bits = np.bitwise_count(words[0] ^ others[0]).astype(np.uint16)
    for word, other in zip(words[1:], others[1:], strict=True):
        bits += np.bitwise_count(word ^ other)
    return bits
