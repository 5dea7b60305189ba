"""Where a backbone's weights came from before it was trained here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from finding_nemo.core.config import Settings
from finding_nemo.core.errors import SettingsError
from finding_nemo.core.text.plain_text import PlainText

# Under this key predictions files hold what their bundle says.
METADATA_KEY = "weights_origins"
_SHOWN_HASH = 12


class WeightsOrigin(Settings):
    """Where the weights of one backbone came from.

    Attributes:
        backbone: Its name, as set.
        kind: "pretrained"; "random" where nothing was learnt before; "registered" where a function
            of the user's own gave them, which alone knows.
        source: Of pretrained weights, in words.
        sha256: Of the file that held them, in hexadecimal; "" where there was none.
        license: As the source names it; "" where it names none.
    """

    backbone: PlainText
    kind: Literal["pretrained", "random", "registered"]
    source: PlainText = ""
    sha256: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")] = ""
    license: PlainText = ""

    @property
    def is_random(self) -> bool:
        """Whether nothing was learnt before the training."""
        return self.kind == "random"

    @property
    def in_words(self) -> str:
        """Return it without the backbone's name, on one line."""
        if self.kind == "random":
            return "RANDOM weights, as set (pretrained=false): it starts from nothing"
        if self.kind == "registered":
            return "weights as the registered function gives them"
        file = f", SHA-256 {self.sha256[:_SHOWN_HASH]}..." if self.sha256 else ""
        return f"pretrained weights from {self.source} (license {self.license or 'unknown'}{file})"


def random_weights(backbone: str) -> WeightsOrigin:
    """Return the origin of weights that nothing was learnt for."""
    return WeightsOrigin(backbone=backbone, kind="random")


def origins_in_words(origins: Sequence[WeightsOrigin] | None) -> str:
    """Return where a bundle's weights came from, as a sentence.

    Args:
        origins: One a backbone; none for a baseline; `None` where it was not recorded.
    """
    if origins is None:
        return "Where its backbone's weights came from is not recorded."
    if not origins:
        return "No network: nothing was pretrained."
    parts = [f"{origin.backbone}: {_of_bundle(origin)}" for origin in origins]
    return f"Before the training: {'; '.join(parts)}."


def _of_bundle(origin: WeightsOrigin) -> str:
    if origin.is_random:
        return "RANDOM weights; nothing was pretrained"
    return origin.in_words


def origins_of_metadata(metadata: Mapping[str, Any]) -> tuple[WeightsOrigin, ...] | None:
    """Return what a predictions file says of its bundle's weights; `None` if nothing readable."""
    found = metadata.get(METADATA_KEY)
    if not isinstance(found, list):
        return None
    try:
        return tuple(WeightsOrigin.build(entry, source=METADATA_KEY) for entry in found)
    except (SettingsError, TypeError, ValueError):
        return None


def distinct_origins(
    each: Sequence[Sequence[WeightsOrigin] | None],
) -> tuple[WeightsOrigin, ...] | None:
    """Return those of several bundles, each once; `None` if one of them did not record its own."""
    known = [origins for origins in each if origins is not None]
    if len(known) < len(each):
        return None
    return tuple(dict.fromkeys(origin for origins in known for origin in origins))
