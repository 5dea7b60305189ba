"""Label Studio: tasks with predictions and annotations, and the configuration that they need.

Source:
    https://labelstud.io/guide/predictions
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from finding_nemo.core.files.atomic_files import write_text
from finding_nemo.exporting.export_frame import MACHINE, PERSON, ExportFrame, plain_text
from finding_nemo.exporting.export_job import ExportJob
from finding_nemo.exporting.json_arrays import json_list
from finding_nemo.exporting.label_ids import LabelIds

TASKS, CONFIGURATION = "tasks.json", "label_config.xml"
_NO_ADDRESS = (
    "images have no address; their tasks name the file alone, which Label Studio finds only in "
    "its own storage (image_address in --about says where they are)"
)
_ONE_CHOICE = (
    "images have labels whose names look the same without characters that nobody sees; Label "
    "Studio tells choices apart by their names, so these are one"
)


def write_label_studio(frames: Iterable[ExportFrame], job: ExportJob, folder: Path) -> None:
    """Write the tasks, and a configuration whose choices are their labels."""
    ids = LabelIds(job.source)
    with json_list(folder / TASKS) as parts:
        for frame in frames:
            for label in frame.labels:
                ids.number_of(label)
            parts.add("", _task(frame, job))
    choices = dict.fromkeys(plain_text(each.name) for each in ids.all())
    write_text(folder / CONFIGURATION, _configuration(list(choices)))


def _task(frame: ExportFrame, job: ExportJob) -> dict[str, Any]:
    address = job.source.address_of(frame)
    if len({plain_text(each.name) for each in frame.labels}) < len(
        {each.name for each in frame.labels}
    ):
        job.notes[_ONE_CHOICE] += 1
    if not address:
        job.notes[_NO_ADDRESS] += 1
    data = {"image": address or frame.file_name, "id": frame.image_id, "dive": frame.dive}
    task: dict[str, Any] = {"data": data}
    of_machine = [label for label in frame.labels if label.means == MACHINE]
    if of_machine:
        scores = [each.probability for each in of_machine if each.probability is not None]
        task["predictions"] = [
            {
                "model_version": job.source.model_reference,
                **({"score": min(scores)} if scores else {}),
                "result": _result([label.name for label in of_machine]),
            }
        ]
    of_person = [label.name for label in frame.labels if label.means == PERSON]
    if of_person:
        task["annotations"] = [{"result": _result(of_person)}]
    return task


def _result(names: Sequence[str]) -> list[dict[str, Any]]:
    choices = list(dict.fromkeys(plain_text(name) for name in names))
    return [
        {
            "from_name": "label",
            "to_name": "image",
            "type": "choices",
            "value": {"choices": choices},
        }
    ]


def _configuration(names: Sequence[str]) -> str:
    lines = [
        "<View>",
        '  <Image name="image" value="$image"/>',
        '  <Choices name="label" toName="image" choice="multiple">',
        *(f"    <Choice value={quoteattr(name)}/>" for name in names),
        "  </Choices>",
        "</View>",
        "",
    ]
    return "\n".join(lines)
