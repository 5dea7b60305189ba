"""How much is asked of one server at a time, and how soon again: a pure account, without a clock.

A server is asked over one connection first. It gets one more after each ten answers that went well,
to a small limit, and fewer where it says that it has too much to do, or fails. FathomNet's own
program for its competition of 2026 goes about it in the same way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from random import Random

# A server that asks for a longer pause is asked again after this time, and once only.
_LONGEST_ASKED_PAUSE_S = 3600.0
_FAULTS_BEFORE_A_PAUSE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Politeness:
    """What is asked of one server at most, and how long it is waited for.

    Attributes:
        connections: Requests at once at one server, at most.
        per_s: Requests that begin in a second at one server, at most.
        raise_after: Answers in a row that must go well before one more connection.
        tries: Of one address, before the next one is tried.
        first_wait_s: Before the second try; doubled before each further one, less a random part.
        longest_wait_s: What that doubling ends at.
        patience_s: For which a server may fail without a break before it is given up; one that
            never answered is given up after a few tries.
        connect_s: For a connection to be made.
        silent_s: For the first byte of an answer, and for the next one.
        grace_s: In each such time an answer must come at the least rate.
        least_bytes_per_s: That rate: slower ones are broken off, and gone on with later.
    """

    connections: int = 5
    per_s: float = 10.0
    raise_after: int = 10
    tries: int = 10
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    patience_s: float = 900.0
    connect_s: float = 15.0
    silent_s: float = 30.0
    grace_s: float = 20.0
    least_bytes_per_s: float = 1_000.0


class Manner(StrEnum):
    """How a server took one request."""

    WELL = "well"  # it answered, if only that there is no such file
    BUSY = "busy"  # it has too much to do (429, 503)
    WRONG = "wrong"  # it failed: an error of its own, a lost connection, half an answer
    UNREACHABLE = "unreachable"  # no connection was made


class HostPace:
    """When the next request may go to one server; times are seconds of any one clock."""

    def __init__(self, politeness: Politeness, random: Random) -> None:
        """Begin with one connection."""
        self._polite = politeness
        self._random = random
        self._gap_s = self._least_gap_s = 1.0 / politeness.per_s
        self._not_before = -math.inf
        self._n_well = self._n_faults = 0
        self._has_answered = False
        self._failing_since: float | None = None
        self.allowed = 1
        self.in_flight = 0

    def wait_s(self, now: float) -> float | None:
        """Return in how many seconds a request may begin; `None` while all connections are used."""
        if self.in_flight >= self.allowed:
            return None
        return max(0.0, self._not_before - now)

    def begin(self, now: float) -> None:
        """Note that a request begins."""
        self.in_flight += 1
        self._not_before = max(self._not_before, now + self._gap_s)

    def end(self, now: float, manner: Manner, retry_after_s: float | None = None) -> None:
        """Note how a request ended.

        Args:
            now: The time.
            manner: How the server took it.
            retry_after_s: For how long it asked to be left alone, if it did.
        """
        self.in_flight -= 1
        if manner is Manner.WELL:
            self._note_well()
            return
        self._n_well = 0
        self._n_faults += 1
        self._has_answered |= manner is not Manner.UNREACHABLE
        if self._failing_since is None:
            self._failing_since = now
        if manner is Manner.BUSY:
            self.allowed = max(1, self.allowed // 2)
            self._gap_s = min(2 * self._gap_s, self._polite.longest_wait_s)
            pause_s = retry_after_s if retry_after_s is not None else self._backoff(self._n_faults)
            self._pause(now + pause_s)
        elif self._n_faults >= _FAULTS_BEFORE_A_PAUSE:
            self.allowed = max(1, self.allowed - 1)
            self._pause(now + self._backoff(self._n_faults - _FAULTS_BEFORE_A_PAUSE + 1))

    def _note_well(self) -> None:
        self._has_answered = True
        self._failing_since, self._n_faults = None, 0
        self._gap_s = max(self._least_gap_s, 0.9 * self._gap_s)
        self._n_well += 1
        if self._n_well >= self._polite.raise_after:
            self._n_well = 0
            self.allowed = min(self._polite.connections, self.allowed + 1)

    def _pause(self, until: float) -> None:
        self._not_before = max(self._not_before, until)

    def _backoff(self, n_faults: int) -> float:
        return wait_before_try(n_faults, self._polite, self._random)

    def is_given_up(self, now: float) -> bool:
        """Return whether the server failed for so long that no more is asked of it."""
        if self._failing_since is None:
            return False
        if not self._has_answered:
            return self._n_faults >= 2 * _FAULTS_BEFORE_A_PAUSE
        is_over = now - self._failing_since > self._polite.patience_s
        return is_over and self._n_faults >= 2 * _FAULTS_BEFORE_A_PAUSE


def wait_before_try(n_faults: int, politeness: Politeness, random: Random) -> float:
    """Return for how many seconds to wait after so many faults in a row.

    The wait doubles with each, and a random half of it is left out, so that many programs that
    were cut off at once do not come back at once.
    """
    whole = politeness.first_wait_s * 2.0 ** min(n_faults - 1, 30)
    return min(whole, politeness.longest_wait_s) * random.uniform(0.5, 1.0)


def asked_pause_s(retry_after: str | None, now: datetime) -> float | None:
    """Return for how many seconds a server asks to be left alone.

    Args:
        retry_after: Its header Retry-After: seconds, or a date.
        now: The time, with its zone.

    Returns:
        From 0 to an hour, or `None` where it says nothing that can be read.

    Source:
        RFC 9110, section 10.2.3.
    """
    text = (retry_after or "").strip()
    if text.isascii() and text.isdecimal():
        return min(float(text[:12]), _LONGEST_ASKED_PAUSE_S)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=now.tzinfo)
    return min(max(0.0, (until - now).total_seconds()), _LONGEST_ASKED_PAUSE_S)
