"""The forms that predictions are handed on in, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from finding_nemo.core.names.registries import registry


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportKind:
    """One form.

    Attributes:
        name: As a person types it.
        about: One line for people.
        writer: "module:function"; it takes the frames, an `ExportJob` and the path.
        suffix: Of its file; "" where it is a folder, which a name in .zip packs.
    """

    name: str
    about: str
    writer: str
    suffix: str = ""


_FORMATS = "finding_nemo.exporting.formats"
EXPORT_KINDS: Mapping[str, ExportKind] = registry(
    ExportKind(
        name="darwin-core",
        about="records for OBIS and GBIF",
        writer=f"{_FORMATS}.darwin_core:write_darwin_core",
    ),
)
