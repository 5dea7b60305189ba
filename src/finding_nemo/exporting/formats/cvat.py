"""CVAT for images 1.1: a tag a label.

Source:
    https://docs.cvat.ai/docs/dataset_management/formats/format-cvat/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from finding_nemo.core.files.atomic_files import atomic_write
from finding_nemo.exporting.exact_tables import number_text
from finding_nemo.exporting.export_frame import MACHINE, ExportFrame, ExportLabel, plain_text
from finding_nemo.exporting.export_job import ExportJob
from finding_nemo.exporting.label_ids import LabelIds

_CONFIDENCE = "confidence"


def write_cvat(frames: Iterable[ExportFrame], job: ExportJob, path: Path) -> None:
    """Write one XML file: images as they come, then nothing else."""
    ids = LabelIds(job.source)
    with atomic_write(path) as partial, partial.open("w", encoding="utf-8") as file:
        file.write('<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n')
        file.write("  <version>1.1</version>\n")
        file.writelines(f"{line}\n" for line in _meta(job, ids))
        for number, frame in enumerate(frames):
            file.write(
                f"  <image id={quoteattr(str(number))} name={_attribute(frame.file_name)} "
                f'width="{frame.width}" height="{frame.height}">\n'
            )
            for label in frame.one_voice:
                file.writelines(f"{line}\n" for line in _tag(label))
            file.write("  </image>\n")
        file.write("</annotations>\n")


def _meta(job: ExportJob, ids: LabelIds) -> Iterator[str]:
    yield "  <meta><task>"
    yield f"    <name>{_text(job.source.name)}</name>"
    yield "    <labels>"
    for name in dict.fromkeys(plain_text(each.name) for each in ids.all()):
        yield f"      <label><name>{escape(name)}</name><type>tag</type><attributes>"
        yield (
            f"        <attribute><name>{_CONFIDENCE}</name><mutable>False</mutable>"
            "<input_type>text</input_type><default_value></default_value><values></values>"
            "</attribute>"
        )
        yield "      </attributes></label>"
    yield "    </labels>"
    yield "  </task></meta>"


def _tag(label: ExportLabel) -> Iterator[str]:
    source = "auto" if label.means == MACHINE else "manual"
    yield f'    <tag label={_attribute(label.name)} source="{source}">'
    if label.probability is not None:
        shown = number_text(label.probability)
        yield f'      <attribute name="{_CONFIDENCE}">{shown}</attribute>'
    yield "    </tag>"


def _attribute(text: str) -> str:
    return quoteattr(plain_text(text))


def _text(text: str) -> str:
    return escape(plain_text(text))
