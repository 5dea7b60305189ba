"""What every form is given to write: the source of the frames, names, and what was asked for."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from finding_nemo.exporting.export_frame import ExportFrame, ExportSource
from finding_nemo.exporting.taxon_names import TaxonNames


@dataclass(frozen=True, kw_only=True)
class ExportJob:
    """One export.

    Attributes:
        source: What all frames have in common.
        names: What labels are called in the world.
        frame_boxes: Whether forms that know no label of a whole frame get a box of its size.
        images: The folder of the images, `None` where it is not known.
        notes: What the form had to leave out or say otherwise, by sentence without its number;
            filled as frames are written.
    """

    source: ExportSource
    names: TaxonNames = field(default_factory=TaxonNames)
    frame_boxes: bool = False
    images: Path | None = None
    notes: Counter[str] = field(default_factory=Counter)

    def file_of(self, frame: ExportFrame) -> Path | None:
        """Return the file of a frame where it is on this machine; of a video's frame none."""
        if frame.time_s is not None:
            return None
        near = [] if self.images is None else [self.images / frame.file_name]
        # Path.is_file raises where a name is too long to be one.
        return next((p for p in (*near, Path(frame.path)) if os.path.isfile(p)), None)

    def notices(self) -> tuple[str, ...]:
        """Return the notes as sentences."""
        return tuple(f"{count:,} {words}." for words, count in self.notes.items())
