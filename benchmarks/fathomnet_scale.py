"""The competition's whole job at its size: from the zip to a submission and a page, step by step.

Run: python benchmarks/fathomnet_scale.py --work DIR [--limit N] [--steps fetch inspect]
         [--set epochs=1]

The annotations are the competition's; the images are drawn in their recorded sizes, with an animal
in each box, and served by a local server that misbehaves. Each step is the command of
docs/tutorial-fathomnet.md in a process of its own. A finished step is not repeated; the figures
stand in DIR/measured.json.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from measured_command import Measured, folder_mb, measure
from stand_in_frames import draw_all
from timing import data_folder, machine, table

from finding_nemo.core.records import ImageRecord
from finding_nemo.data.dataset import read_dataset

_ROOT = Path(__file__).resolve().parents[1]
_HERE = Path(__file__).resolve().parent
_SITE = "https://fathomnet.org"
# One record in a thousand has no image any more, so that every later step meets some.
_ABSENT_EVERY = 1000


@dataclass(frozen=True)
class Step:
    """One command of the tutorial.

    Attributes:
        name: What the table calls it.
        command: As a person types it behind `finding-nemo`.
        extra: Options for this measurement alone.
        ends_at: Words at which a server is ready, and is ended.
    """

    name: str
    command: str
    extra: str = ""
    ends_at: str = ""


STEPS = (
    Step("fetch", "fetch fathomnet.zip --out images/", extra="--rate 200"),
    Step("fetch again", "fetch fathomnet.zip --out images/", extra="--rate 200"),
    Step("inspect", "inspect fathomnet.zip --out inspect.html"),
    Step("split", "split fathomnet.zip --out split.csv"),
    Step(
        "train probe",
        "train fathomnet.zip --recipe probe --split split.csv --out runs/probe",
    ),
    Step(
        "predict test",
        "predict runs/probe fathomnet.zip --split split.csv --part test --out test.parquet",
    ),
    Step(
        "evaluate",
        "evaluate test.parquet fathomnet.zip --split split.csv --part test --out test.html",
    ),
    Step(
        "predict eval",
        "predict runs/probe fathomnet.zip --origin eval --embeddings --out eval.parquet",
    ),
    Step("submission", "convert eval.parquet --to submission --out submission.csv"),
    Step("report", "report eval.parquet --images images/ --out eval.html"),
    Step(
        "review",
        "review eval.parquet --data fathomnet.zip --images images/",
        extra="--port 0",
        ends_at="Ready at",
    ),
    Step(
        "train patches",
        "train fathomnet.zip --recipe patches --split split.csv --out runs/patches",
    ),
    Step(
        "predict test, patches",
        "predict runs/patches fathomnet.zip --split split.csv --part test --out test-2.parquet",
    ),
    Step(
        "evaluate, patches",
        "evaluate test-2.parquet fathomnet.zip --split split.csv --part test --out test-2.html",
    ),
    Step(
        "predict eval, patches",
        "predict runs/patches fathomnet.zip --origin eval --embeddings --out eval-2.parquet",
    ),
    Step("submission, patches", "convert eval-2.parquet --to submission --out submission-2.csv"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=data_folder() / "fathomnet2023")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--steps", nargs="+", default=[step.name for step in STEPS])
    parser.add_argument("--fault-rate", type=float, default=0.02)
    parser.add_argument("--set", action="append", default=[], dest="settings")
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    wanted = set(asked.steps)
    unknown = wanted - {step.name for step in STEPS}
    if unknown:
        raise SystemExit(f"no such step: {', '.join(sorted(unknown))}")
    job = Job(asked.work.resolve(), asked.data.resolve(), asked.limit, asked.fault_rate)
    job.draw()
    for step in STEPS:
        if step.name in wanted:
            job.run(with_settings(step, asked.settings))
    print(report(job.measured))


def with_settings(step: Step, settings: Sequence[str]) -> Step:
    """Return a step whose training has other settings, for a small try."""
    if not step.command.startswith("train"):
        return step
    return replace(step, extra=" ".join(f"--set {setting}" for setting in settings))


class Job:
    """The folder of one job, its stand-in images and what was measured so far."""

    def __init__(self, work: Path, data: Path, limit: int | None, fault_rate: float) -> None:
        """Take up the job in `work` where it was left."""
        self._work, self._data, self._fault_rate = work, data, fault_rate
        self._dataset = read_dataset(data)
        self._records = chosen(self._dataset.records, limit)
        self._figures = work / "measured.json"
        self.measured: dict[str, Any] = {}
        if self._figures.exists():
            self.measured = json.loads(self._figures.read_text())

    def draw(self) -> None:
        """Draw what the server serves, once."""
        served = self._work / "served"
        served.mkdir(exist_ok=True)
        processes = os.cpu_count() or 1
        drawn = draw_all(self._records, self._dataset.categories, served, processes=processes)
        n_drawn = sum(1 for _ in drawn)
        if n_drawn:
            print(f"drew {n_drawn:,} images", file=sys.stderr, flush=True)

    def run(self, step: Step) -> None:
        """Run and measure a step that is not done yet."""
        if step.name in self.measured:
            return
        server = self._server() if step.command.startswith("fetch") else _no_server()
        begun = self._log(step).with_suffix(".begun")
        was_begun = begun.exists()
        begun.touch()
        with server as answers:
            words = [*step.command.split(), *step.extra.split(), *self._go_on(step)]
            before_mb = self._kept_mb()
            used = measure(
                [sys.executable, "-m", "finding_nemo", *words],
                folder=self._work,
                log=self._log(step),
                variables={"FINDING_NEMO_CACHE": str(self._work / "cache")},
                interrupt_at=step.ends_at,
            )
        if used.exit_code != 0:
            said = self._log(step).read_text(errors="replace")[-3000:]
            raise SystemExit(f"{step.name}: exit code {used.exit_code}\n{said}")
        self._note(step, used, self._kept_mb() - before_mb, answers, is_part=was_begun)

    def _note(
        self,
        step: Step,
        used: Measured,
        kept_mb: float,
        answers: Mapping[str, object],
        *,
        is_part: bool,
    ) -> None:
        """Keep the figures; `is_part`: a try that was stopped had done some of the work."""
        self.measured[step.name] = {
            "command": step.command,
            "images": len(self._records),
            **asdict(used),
            "kept_mb": kept_mb,
            **({"server": answers} if answers else {}),
            **({"is_part": True} if is_part else {}),
        }
        self._figures.write_text(json.dumps(self.measured, indent=1) + "\n")
        print(
            f"{step.name}: {used.wall_s:.0f} s, {used.peak_mb:.0f} MB", file=sys.stderr, flush=True
        )

    def _log(self, step: Step) -> Path:
        return self._work / f"{step.name.replace(',', '').replace(' ', '-')}.log"

    def _kept_mb(self) -> float:
        return folder_mb(self._work) - folder_mb(self._work / "served")

    def _go_on(self, step: Step) -> list[str]:
        """Return what makes a stopped command go on; remove what one that cannot has left."""
        words = step.command.split()
        if words[0] in ("fetch", "predict") or "--out" not in words:
            return []
        left = self._work / words[words.index("--out") + 1]
        if (left / "checkpoints/last.safetensors").exists():
            return ["--resume"]
        if left.is_dir():
            shutil.rmtree(left)
        else:
            left.unlink(missing_ok=True)
        return []

    @contextmanager
    def _server(self) -> Iterator[dict[str, object]]:
        """Serve the images, and write the zip with the server's addresses."""
        here = [record for record in self._records if not is_absent(record)]
        paths = {urlsplit(record.url or "").path: record.path.name for record in here}
        listed = self._work / "paths.json"
        listed.write_text(json.dumps(paths))
        command = [sys.executable, str(_HERE / "stand_in_server.py"), str(self._work / "served")]
        command += [str(listed), "--fault-rate", str(self._fault_rate)]
        tests = os.pathsep.join([str(_ROOT / "tests"), os.environ.get("PYTHONPATH", "")])
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": tests}
        )
        answers: dict[str, object] = {}
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            kept = {record.image_id for record in self._records}
            write_zip(self._data, self._work / "fathomnet.zip", url=url, kept=kept)
            yield answers
        finally:
            process.terminate()
            said, _ = process.communicate()
            answers.update(json.loads(said or "{}"))


@contextmanager
def _no_server() -> Iterator[dict[str, object]]:
    yield {}


def chosen(records: Sequence[ImageRecord], limit: int | None) -> Sequence[ImageRecord]:
    """Return records spread evenly over all, training and evaluation alike."""
    if limit is None or limit >= len(records):
        return records
    return [records[n * len(records) // limit] for n in range(limit)]


def is_absent(record: ImageRecord) -> bool:
    """Return whether the server has no image of a record: always the same one in a thousand."""
    return int(record.image_id.replace("-", "")[:8], 16) % _ABSENT_EVERY == 0


def write_zip(data: Path, path: Path, *, url: str, kept: set[str]) -> None:
    """Write the competition's zip with other addresses, of the wanted images alone."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(data / "category_key.csv", "category_key.csv")
        name = "multilabel_classification/train.csv"
        archive.writestr(name, _table_of(data / name, kept))
        for name in ("object_detection/train.json", "object_detection/eval.json"):
            text = (data / name).read_text().replace(_SITE, url)
            archive.writestr(name, json.dumps(_part_of(json.loads(text), kept)))


def _table_of(path: Path, kept: set[str]) -> str:
    with path.open(newline="") as file:
        header, *rows = csv.reader(file)
    text = io.StringIO()
    csv.writer(text).writerows([header, *(row for row in rows if row[0] in kept)])
    return text.getvalue()


def _part_of(coco: dict[str, Any], kept: set[str]) -> dict[str, Any]:
    images = [image for image in coco["images"] if Path(image["file_name"]).stem in kept]
    ids = {image["id"] for image in images}
    boxes = [box for box in coco["annotations"] if box["image_id"] in ids]
    return {**coco, "images": images, "annotations": boxes}


def report(measured: Mapping[str, Any]) -> str:
    """Return the table of the docs, and the machine."""
    rows = [
        [
            f"{name} (gone on with)" if of.get("is_part") else name,
            f"{of['wall_s']:,.0f} s",
            f"{of['cpu_s']:,.0f} s",
            f"{of['peak_mb']:,.0f} MB",
            f"{of['mapped_peak_mb']:,.0f} MB",
            f"{of['kept_mb']:,.1f} MB",
            f"{of['written_mb']:,.0f} MB",
        ]
        for name, of in measured.items()
    ]
    header = [
        "step",
        "time",
        "of a processor",
        "memory",
        "with mapped files",
        "disk, kept",
        "disk, written",
    ]
    return f"{table(header, rows)}\n\n{machine()}"


if __name__ == "__main__":
    main()
