"""One image decoded in another process: how it is asked for, answered and understood."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from finding_nemo.core.errors import ImageError
from finding_nemo.core.files.input_limits import InputLimits
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.processes.messages import Message
from finding_nemo.data.images.decode import DecodedImage
from finding_nemo.data.images.resize import decode_resized

ANSWER = f"{__name__}:answer_decode_request"


def decode_request(
    source: Path | bytes, preprocessing: Preprocessing, limits: InputLimits
) -> Message:
    """Return the request for what `decode_resized` returns of the same arguments."""
    facts: dict[str, Any] = {
        "preprocessing": preprocessing.model_dump_json(),
        "limits": asdict(limits),
    }
    if isinstance(source, bytes):
        return Message(facts, source)
    # JSON holds any name: what is no text in it is escaped.
    return Message(facts | {"path": str(source.absolute())})


def answer_decode_request(request: Message) -> Message:
    """Return the pixels, or why there are none."""
    facts = request.facts
    source = Path(facts["path"]) if "path" in facts else bytes(request.content)
    try:
        decoded = decode_resized(
            source,
            Preprocessing.model_validate_json(facts["preprocessing"]),
            limits=InputLimits(**facts["limits"]),
        )
    except ImageError as error:
        return Message({"failure": str(error)})
    pixels = np.ascontiguousarray(decoded.pixels)
    size = {"width": decoded.width, "height": decoded.height, "shape": pixels.shape}
    return Message(size, pixels.data.cast("B"))


def decoded_image(answer: Message) -> DecodedImage:
    """Return what an answer holds.

    Raises:
        ImageError: If that is why there are no pixels.
    """
    facts = answer.facts
    if "failure" in facts:
        raise ImageError(facts["failure"])
    pixels = np.frombuffer(answer.content, dtype=np.uint8).reshape(facts["shape"])
    return DecodedImage(pixels=pixels, width=facts["width"], height=facts["height"])
