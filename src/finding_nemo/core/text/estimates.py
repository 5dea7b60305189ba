"""What a job would cost, said before it is done, with the ground of each figure."""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """One cost.

    Attributes:
        name: "time", "disk" or "memory".
        amount: About how much, in words; "not known" where nobody has measured.
        ground: What it rests on.
    """

    name: str
    amount: str
    ground: str

    @property
    def in_words(self) -> str:
        """Return it as it is printed."""
        return f"{self.name:<7} {self.amount}: {self.ground}."


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a command would do.

    Attributes:
        work: Each thing that it would do, one sentence without its full stop.
        estimates: What that would cost.
    """

    work: tuple[str, ...]
    estimates: tuple[Estimate, ...]


def size_in_words(n_bytes: float) -> str:
    """Return a size as people say it.

    Example:
        >>> [size_in_words(n) for n in (0, 999, 12_345, 4_600_000, 1.25e9, 12e9)]
        ['0 bytes', '999 bytes', '12 kB', '4.6 MB', '1.2 GB', '12 GB']
    """
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= size:
            value = n_bytes / size
            return f"{value:.0f} {unit}" if value >= 10 else f"{value:.1f} {unit}"
    return f"{n_bytes:.0f} bytes"


def peak_memory() -> int | None:
    """Return the most bytes that this process has held at once; `None` where nobody says."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
