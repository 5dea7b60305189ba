"""The one budget for what a single input may cost: bytes, pixels, scans, seconds.

Every reader of images asks here, so that no file, however it was made, can fill the memory or stop
a run. A person can raise each limit; none can be switched off by a file.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class InputLimits:
    """What one image may cost.

    Attributes:
        max_file_bytes: Of one image file or tar member, and of one answer of a server. An
            uncompressed frame of 100 megapixels is 300 MB.
        max_pixels: Of one frame. 8K video is 33 megapixels; a file of a few kB can claim
            20,000 x 20,000.
        max_scans: Of one progressive JPEG. Encoders write about 10; a file of 2,000 took 21 s. Over
            a large frame fewer: 20 times `max_pixels` in all.
        max_seconds: Of one answer of a server, from the question to the last byte, and of one
            image in a decoder that can be stopped.
        max_text_bytes: Of one list, table or annotation file. The largest public COCO file, of
            LVIS, is 1.1 GB.
    """

    max_file_bytes: int = 512_000_000
    max_pixels: int = 100_000_000
    max_scans: int = 100
    max_seconds: float = 60.0
    max_text_bytes: int = 2_000_000_000


USUAL_LIMITS = InputLimits()
