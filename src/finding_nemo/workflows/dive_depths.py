"""The depth of each frame of a dive's page, from navigation, iFDO files and lists of fetches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from finding_nemo.core.text.printable import printable
from finding_nemo.data.datasets.fields.path_spelling import slashed
from finding_nemo.exporting.positions.frame_positions import PositionSources
from finding_nemo.exporting.positions.navigation_file import NavigationFile, names_of_file
from finding_nemo.reporting.dive.dive_frames import DiveFrames, Frame


def with_depths(found: DiveFrames, sources: PositionSources) -> DiveFrames:
    """Return the frames with the depths that `sources` know; a depth of the file itself stays.

    What files say that frames of several folders share by name is left out, as it may mean any.

    Args:
        found: The frames.
        sources: What may say where frames were filmed.
    """
    if not sources.files and not sources.reads_headers:
        return found
    paths = [PurePosixPath(slashed(frame.path)) for frame in found.frames]
    folders: dict[str, set[str]] = {}
    for path in paths:
        folders.setdefault(path.name, set()).add(str(path.parent))
    frames = tuple(
        _with_depth(frame, sources, is_name_shared=len(folders[path.name]) > 1)
        for frame, path in zip(found.frames, paths, strict=True)
    )
    n_known = sum(frame.depth_m is not None for frame in frames)
    faults = tuple(notice for source in sources.files for notice in source.notices)
    words = _count_in_words(n_known, len(frames), sources.files)
    return replace(found, frames=frames, notices=(*found.notices, *faults, *words))


def _count_in_words(
    n_known: int, n_frames: int, files: Sequence[NavigationFile]
) -> tuple[str, ...]:
    """Return what is said of the depths; nothing where nobody asked for any and none is known."""
    telling = [source for source in files if source.is_named or source.has_depths]
    if not telling:
        return ()
    if n_known:
        return (f"The depth of {n_known:,} of {n_frames:,} frames is known.",)
    if not any(source.has_depths for source in telling):
        names = ", ".join(printable(source.path.name) for source in telling)
        return (f"No frame got a depth: {names} says none.",)
    return ("No frame got a depth: the times or names of the navigation fit none of them.",)


def _with_depth(frame: Frame, sources: PositionSources, *, is_name_shared: bool) -> Frame:
    if frame.depth_m is not None:
        return frame
    names = names_of_file(slashed(frame.path), frame.image_id, is_name_shared=is_name_shared)
    position, _ = sources.place(frame.path, names, frame.captured)
    return replace(frame, depth_m=position.depth_m)
