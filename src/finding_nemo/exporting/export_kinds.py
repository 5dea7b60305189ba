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
        takes_rows: Whether the writer takes every row of the predictions as it stands, those of
            images that could not be read among them, and no frames.
    """

    name: str
    about: str
    writer: str
    suffix: str = ""
    takes_rows: bool = False


_FORMATS = "finding_nemo.exporting.formats"
EXPORT_KINDS: Mapping[str, ExportKind] = registry(
    ExportKind(
        name="darwin-core",
        about="records for OBIS and GBIF",
        writer=f"{_FORMATS}.darwin_core:write_darwin_core",
    ),
    ExportKind(
        name="biigle",
        about="label tree, metadata and image labels of BIIGLE",
        writer=f"{_FORMATS}.biigle:write_biigle",
    ),
    ExportKind(
        name="coco",
        about="COCO JSON",
        writer=f"{_FORMATS}.coco_export:write_coco",
        suffix=".json",
    ),
    ExportKind(
        name="megadetector",
        about="MegaDetector 1.6 JSON, for Timelapse",
        writer=f"{_FORMATS}.megadetector:write_megadetector",
        suffix=".json",
    ),
    ExportKind(
        name="camtrap-dp",
        about="Camtrap DP 1.0.2",
        writer=f"{_FORMATS}.camtrap_dp:write_camtrap_dp",
    ),
    ExportKind(
        name="ifdo",
        about="iFDO 2.2.1, for archives",
        writer=f"{_FORMATS}.ifdo_export:write_ifdo",
        suffix=".json",
    ),
    ExportKind(
        name="ifdo-2.1.0",
        about="iFDO as BIIGLE imports it, labels included",
        writer=f"{_FORMATS}.ifdo_export:write_ifdo_for_biigle",
        suffix=".json",
    ),
    ExportKind(
        name="label-studio",
        about="tasks and configuration of Label Studio",
        writer=f"{_FORMATS}.label_studio:write_label_studio",
    ),
    ExportKind(
        name="cvat",
        about="CVAT for images 1.1",
        writer=f"{_FORMATS}.cvat:write_cvat",
        suffix=".xml",
    ),
    ExportKind(
        name="fiftyone",
        about="labels.json of FiftyOne",
        writer=f"{_FORMATS}.fiftyone:write_fiftyone",
    ),
    ExportKind(
        name="vars",
        about="annotations of VARS",
        writer=f"{_FORMATS}.vars_annotations:write_vars",
        suffix=".json",
    ),
    ExportKind(
        name="squidle",
        about="a table and a label map for SQUIDLE+",
        writer=f"{_FORMATS}.squidle:write_squidle",
    ),
    ExportKind(
        name="submission",
        about="what the competition takes",
        writer=f"{_FORMATS}.submission_export:write_submission_rows",
        suffix=".csv",
        takes_rows=True,
    ),
)
