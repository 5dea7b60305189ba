"""Where the images of a predictions file are: only files that it names, only in one folder."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from finding_nemo.data.images.find_images import ImageFinder
from finding_nemo.data.images.video import VIDEO_SUFFIXES
from finding_nemo.reviewing.frame_collection import FrameFile


class FolderFiles:
    """Finds the files that predictions name."""

    def __init__(self, folder: Path | None) -> None:
        """List the folder.

        Args:
            folder: The only one whose files are taken, with the folders in it; `None` takes the
                paths as they are.

        Raises:
            DatasetError: If there is no such folder.
        """
        self._finder = ImageFinder(folder)
        self._inside = None if folder is None else Path(os.path.realpath(folder))

    def find(self, path: str, image_id: str, time_s: float | None) -> FrameFile | None:
        """Return the file of a frame, `None` where it is not found.

        Args:
            path: As the predictions name it.
            image_id: The frame's name.
            time_s: Of a frame of a video.
        """
        file = self._finder.file_of(path, image_id)
        if file is None:
            return None
        # A link may lead out of the folder, or in a circle (which Path.resolve does not stand).
        if self._inside is not None and not Path(os.path.realpath(file)).is_relative_to(
            self._inside
        ):
            return None
        return FrameFile(file, time_s if is_video(file.name) else None)


def is_video(name: str) -> bool:
    """Whether a file is a video, by its name."""
    return PurePosixPath(name).suffix.lower() in VIDEO_SUFFIXES
