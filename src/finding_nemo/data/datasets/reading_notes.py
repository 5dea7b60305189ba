"""What a reader passed over or had to interpret: counted, with the first example of each kind."""

from __future__ import annotations

from finding_nemo.core.text.cells import quoted


class Notes:
    """Counts by kind, in the order in which the kinds were first met."""

    def __init__(self) -> None:
        """Begin with nothing noted."""
        self._counts: dict[str, int] = {}
        self._first: dict[str, str] = {}

    def add(self, kind: str, example: object, count: int = 1) -> None:
        """Note one more of a kind.

        Args:
            kind: The end of a sentence that begins with a number, such as "times could not be
                read".
            example: What it was.
            count: How many of it.
        """
        self._first.setdefault(kind, quoted(example))
        self._counts[kind] = self._counts.get(kind, 0) + count

    def sentences(self) -> tuple[str, ...]:
        """Return one sentence a kind."""
        return tuple(
            f"{count} {kind} (first: {self._first[kind]})." for kind, count in self._counts.items()
        )
