"""Every benchmark in turn, into docs/benchmarks.md. A quiet machine and about 15 minutes.

Run: python benchmarks/run.py [PART ...]   with FINDING_NEMO_DATA naming the folder of real data
"""

from __future__ import annotations

import re
import sys
import tempfile
import textwrap
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import decoding
import end_to_end
import install
import large_frames
import large_map
import layers
import limits
import map_at_k
from timing import ROUNDS, child, data_folder, machine, table

from finding_nemo import read_dataset
from finding_nemo.core.records import Dataset, ImageRecord
from finding_nemo.core.reporter import Reporter
from finding_nemo.data.splits.split_csv import read_split
from finding_nemo.models.bundle.bundle import load_bundle
from finding_nemo.workflows.export_bundle import export_bundle, over_dives

_ROOT = Path(__file__).resolve().parents[1]
_DOCUMENT = _ROOT / "docs/benchmarks.md"
_N_LARGE, _N_JUDGED, _N_JUDGED_LARGE = 48, 1_000, 500


class Bench:
    """What the parts share: the real frames, a trained and exported bundle, a scratch folder."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.folder = data_folder() / "trashcan"
        if not self.folder.is_dir():
            raise SystemExit(f"{self.folder} is not there: set FINDING_NEMO_DATA.")
        self.dataset: Dataset = read_dataset(self.folder)
        self.probe = child("child_probe.py", self.folder, scratch)
        self.bundle = load_bundle(scratch / "run")
        self.split = read_split(scratch / "run/split.csv")
        self.exports = [
            record
            for to in ("onnx", "openvino")
            for record in export_bundle(
                self.bundle, self.dataset, self.split,
                to="onnx" if to == "onnx" else "openvino", int8=True, reporter=Reporter(_say),
            )
        ]  # fmt: skip

    def held_out(self, n: int) -> list[ImageRecord]:
        """Return labelled frames that the bundle was not trained on, spread over dives."""
        ids = [*self.split.ids_in("val"), *self.split.ids_in("test")]
        known = [self.dataset.by_id[image_id] for image_id in ids]
        return over_dives([record for record in known if record.category_ids], n)

    def training(self) -> str:
        """Return how long a probe took from nothing."""
        rows = [
            [
                f"features of {self.probe['n']} frames, export included",
                f"{self.probe['features_s']:.0f} s",
            ],
            ["nothing to a trained bundle", f"{self.probe['trained_s']:.0f} s"],
            ["nothing to an evaluated bundle", f"{self.probe['seconds']:.0f} s"],
            ["MAP@20 on dives never seen", f"{self.probe['map_at_20']:.4f}"],
        ]
        return table(["what", "measured"], rows)

    def dtype(self) -> str:
        """Return what `export` measured."""
        rows = [
            [r.runtime, r.dtype, f"{r.map_at_20:.4f}", f"{r.map_at_20_change:+.4f}",
             f"{r.largest_probability_change:.2g}", f"{r.n_images} / {r.n_dives}"]
            for r in self.exports
        ]  # fmt: skip
        header = ["runtime", "dtype", "MAP@20", "change", "largest probability change"]
        return table([*header, "frames / dives"], rows)

    def small(self) -> str:
        """Return the whole way on the real frames."""
        paths = [record.path for record in self.dataset.records]
        evaluated = self.held_out(_N_JUDGED)
        return end_to_end.compare(
            {"Real frames, 480 x 270 and 480 x 360 JPEG": (paths, [r.path for r in evaluated])},
            bundle=self.bundle.path,
            truth=self.dataset.truth(evaluated),
            scratch=self.scratch,
        )

    def large(self) -> str:
        """Return the decoders and the whole way on 1920 x 1080."""
        evaluated = self.held_out(_N_LARGE)
        jpeg = large_frames.write_large_frames([r.path for r in evaluated], self.scratch / "large")
        png = [self.scratch / "large/png" / f"{path.stem}.png" for path in jpeg]
        n = len(evaluated)
        whole = end_to_end.compare(
            {"1920 x 1080 JPEG": (jpeg, jpeg[:n]), "1920 x 1080 PNG": (png, png[:n])},
            bundle=self.bundle.path,
            truth=self.dataset.truth(evaluated),
            scratch=self.scratch,
            counts=end_to_end.LARGE_FRAMES,
        )
        many = self.held_out(_N_JUDGED_LARGE)
        what = large_map.compare(self.bundle, many, self.dataset.truth(many))
        return f"### Decode and resize\n\n{decoding.compare(jpeg, png)}\n\n{what}\n\n{whole}"

    def network(self) -> str:
        """Return the network's rate beside the machine's, and where an image's time goes."""
        path = self.bundle.path
        return f"{limits.compare(path)}\n\nOne image on one core:\n\n{layers.compare(path)}"

    def install(self) -> str:
        """Return the size of the core and its first prediction."""
        return install.compare(self.bundle.path, self.dataset.records[0].path, self.scratch)


def _say(message: str) -> None:
    print(message, file=sys.stderr)


def main(wanted: list[str]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(Path(scratch))
        parts: dict[str, Callable[[], str]] = {
            "Files to Parquet": bench.small,
            "Frames of 1920 x 1080": bench.large,
            "The network alone": bench.network,
            "What faster arithmetic changes": bench.dtype,
            "MAP@20": map_at_k.compare,
            "Training a probe": bench.training,
            "Install": bench.install,
        }
        for name, part in parts.items():
            if not wanted or any(word.lower() in name.lower() for word in wanted):
                _say(name)
                _replace(name, part())


def _replace(name: str, content: str) -> None:
    """Put a part's tables into the document between its markers."""
    text = _DOCUMENT.read_text(encoding="utf-8")
    when = f"*{datetime.now(UTC):%Y-%m-%d}, medians of {ROUNDS}, in turn. {machine()}*"
    when = textwrap.fill(when, 100)  # as all pages have it
    block = f"<!-- {name} -->\n{when}\n\n{content}\n<!-- end -->"
    pattern = re.compile(rf"<!-- {re.escape(name)} -->.*?<!-- end -->", re.DOTALL)
    if not pattern.search(text):
        raise SystemExit(f"{_DOCUMENT} has no place for {name!r}.")
    _DOCUMENT.write_text(pattern.sub(lambda _: block, text, count=1), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
