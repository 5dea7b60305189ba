"""What every form is given to write: the source of the frames, names, and what was asked for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from finding_nemo.exporting.export_records import ExportSource
from finding_nemo.exporting.taxon_names import TaxonNames


@dataclass(frozen=True, kw_only=True)
class ExportJob:
    """One export.

    Attributes:
        source: What all frames have in common.
        names: What labels are called in the world.
        frame_boxes: Whether forms that know no label of a whole frame get a box of its size.
        notes: What the form had to leave out or say otherwise, by sentence without its number;
            filled as frames are written.
    """

    source: ExportSource
    names: TaxonNames = field(default_factory=TaxonNames)
    frame_boxes: bool = False
    notes: Counter[str] = field(default_factory=Counter)

    def notices(self) -> tuple[str, ...]:
        """Return the notes as sentences."""
        return tuple(f"{count:,} {words}." for words, count in self.notes.items())
