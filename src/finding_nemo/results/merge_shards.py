"""The files of shards into the file of the whole run: order restored, completeness checked."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from finding_nemo.core.errors import PredictionsError, SettingsError
from finding_nemo.core.files.output_checks import check_output_file
from finding_nemo.core.provenance import command_line, now_utc, package_version, path_from
from finding_nemo.core.reporter import time_in_words
from finding_nemo.core.text.cells import quoted
from finding_nemo.core.text.estimates import DryRun, Estimate, peak_memory, size_in_words
from finding_nemo.results.content_hash import ContentHash
from finding_nemo.results.file_metadata import (
    BROKEN_PARQUET,
    TRAINING_SPLIT,
    metadata_of,
    open_parquet,
    recorded_training_split,
    refuse_other_rows,
    unreadable,
)
from finding_nemo.results.prediction_formats import Format, choose_format
from finding_nemo.results.schema import USUAL_SPREADSHEET, SpreadsheetLayout
from finding_nemo.results.summary import PredictionSummary
from finding_nemo.results.whole_file import surveyed, with_ranks
from finding_nemo.results.writers import ROWS_IN_GROUP, write_tables

# What shards of one run have in common.
_SAME = ("schema_version", "bundle_hash", "inputs_sha256", "version", "categories")


def merge_shards(
    paths: Sequence[Path],
    out: Path,
    *,
    file_format: Format | None = None,
    overwrite: bool = False,
    layout: SpreadsheetLayout = USUAL_SPREADSHEET,
) -> PredictionSummary:
    """Join the predictions of all shards of one run, given in any order.

    Args:
        paths: One Parquet file a shard.
        out: The file to write.
        file_format: A name of `FORMATS`; by default what the suffix of `out` says.
        overwrite: Whether an existing file may be replaced.
        layout: What a CSV file for people holds.

    Returns:
        What happened to the images, with the content hash: that of a run in one piece.

    Raises:
        PredictionsError: If a file cannot be read, lacks rows, or has other rows than were written.
        SettingsError: If shards are missing, there twice, or of different runs.
        OutputExistsError: If `out` exists and `overwrite` is false.
        OutputError: If `out` cannot be written, or is one of the shards.
    """
    checked = _checked(paths, out, file_format=file_format, overwrite=overwrite)
    ordered, metadata_by_path, in_order = checked.ordered, checked.metadata, checked.in_order
    schema = open_parquet(ordered[0]).schema_arrow.remove_metadata()
    whole = surveyed(_rows(ordered, metadata_by_path, schema))
    domain = whole.domain_check()
    summary = PredictionSummary(domain_check=None if domain is None else domain.to_json())
    rows = with_ranks(_rows(ordered, metadata_by_path, schema), whole.ranks())
    write_tables(
        summary.watched(rows, schema),
        out,
        schema=schema,
        metadata=lambda: (
            _merged_metadata(in_order, summary) | _split_from(out.parent, ordered[0], in_order[0])
        ),
        fallback_ids=most_frequent_first(in_order[0]["categories"]),
        file_format=checked.file_format,
        overwrite=overwrite,
        layout=layout,
    )
    return summary


def dry_run_merge(
    paths: Sequence[Path],
    out: Path,
    *,
    file_format: Format | None = None,
    overwrite: bool = False,
) -> DryRun:
    """Return what `merge_shards` would do, or refuse what it would refuse: every row is read."""
    began = time.perf_counter()
    checked = _checked(paths, out, file_format=file_format, overwrite=overwrite)
    schema = open_parquet(checked.ordered[0]).schema_arrow.remove_metadata()
    n_rows = sum(len(rows) for rows in _rows(checked.ordered, checked.metadata, schema))
    read_s = time.perf_counter() - began
    n_bytes = sum(path.stat().st_size for path in checked.ordered)
    memory = peak_memory()
    return DryRun(
        (f"join {n_rows:,} rows of {len(paths)} files into {out} ({checked.file_format})",),
        (
            Estimate(
                "time",
                f"about {time_in_words(2 * read_s)}",
                f"reading and checking every row took {read_s:.1f} s just now, writing as much",
            ),
            Estimate(
                "disk",
                f"about {size_in_words(n_bytes)}",
                "the bytes of the shards; in another format than Parquet it may be some times more",
            ),
            Estimate(
                "memory",
                "not known" if memory is None else f"about {size_in_words(memory)}",
                "the most that this program has held while it read them",
            ),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Checked:
    """Shards that belong together, in their order."""

    ordered: Sequence[Path]
    metadata: Mapping[Path, dict[str, Any]]
    file_format: Format

    @property
    def in_order(self) -> list[dict[str, Any]]:
        """The metadata of each."""
        return [self.metadata[path] for path in self.ordered]


def _checked(
    paths: Sequence[Path], out: Path, *, file_format: Format | None, overwrite: bool
) -> _Checked:
    check_output_file(out, overwrite=overwrite, inputs=paths)
    chosen = choose_format(out, file_format)
    if len(set(paths)) < len(paths):
        raise SettingsError("A shard is named twice; name each file once.")
    metadata_by_path = {path: _metadata(path) for path in paths}
    found = _Checked(_in_order(metadata_by_path), metadata_by_path, chosen)
    expected = found.in_order[0]["shard"]["n_images"]
    if sum(metadata["n_images"] for metadata in found.in_order) != expected:
        raise PredictionsError(f"The shards lack rows: {expected} images were listed.")
    return found


def _metadata(path: Path) -> dict[str, Any]:
    metadata = metadata_of(open_parquet(path), path)
    shard = metadata.get("shard")
    if shard is None:
        raise PredictionsError(f"{path} is not the file of a shard: write it with --shard i/n.")
    counts = shard if isinstance(shard, dict) else {}
    wanted = [counts.get(name) for name in ("number", "count", "n_images")]
    if not all(type(value) is int for value in [*wanted, metadata.get("n_images")]):
        raise PredictionsError(
            f"{path}: its metadata must say number, count and n_images of the shard in whole "
            f"numbers, got {quoted(shard)}."
        )
    return metadata


def _in_order(metadata_by_path: Mapping[Path, dict[str, Any]]) -> list[Path]:
    first = _common(next(iter(metadata_by_path.values())))
    for path, metadata in metadata_by_path.items():
        differing = [name for name, value in _common(metadata).items() if value != first[name]]
        if differing:
            raise SettingsError(f"{path} is not of the same run: {', '.join(differing)} differs.")
    by_number = sorted(
        metadata_by_path, key=lambda path: int(metadata_by_path[path]["shard"]["number"])
    )
    found = Counter(int(metadata_by_path[path]["shard"]["number"]) for path in by_number)
    count = int(first["shard count"])
    missing = [number for number in range(1, count + 1) if number not in found]
    twice = [number for number, times in found.items() if times > 1]
    for numbers, what in ((missing, "is missing"), (twice, "is there twice")):
        if numbers:
            named = ", ".join(map(str, numbers))
            raise SettingsError(f"Of this run, shard {named} of {count} {what}.")
    return by_number


def _common(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {name: metadata.get(name) for name in _SAME} | {
        "shard count": metadata["shard"]["count"]
    }


def _rows(
    paths: Sequence[Path], metadata_by_path: Mapping[Path, dict[str, Any]], schema: pa.Schema
) -> Iterator[pa.Table]:
    for path in paths:
        file = open_parquet(path)
        if file.metadata.num_rows != metadata_by_path[path]["n_images"]:
            raise PredictionsError(f"{path} lacks rows; predict this shard again.")
        if not file.schema_arrow.remove_metadata().equals(schema):
            raise PredictionsError(f"{path} has other columns than the first shard.")
        digest = ContentHash(schema)
        batches = file.iter_batches(ROWS_IN_GROUP)
        while True:
            try:
                batch = next(batches, None)
                if batch is None:
                    break
                rows = pa.Table.from_batches([batch])
                digest.add(rows)
            except BROKEN_PARQUET as error:
                raise unreadable(path, error) from None
            yield rows
        refuse_other_rows(path, metadata_by_path[path], digest.hexdigest())


def _merged_metadata(
    metadata_by_path: Sequence[Mapping[str, Any]], summary: PredictionSummary
) -> dict[str, Any]:
    return {
        **metadata_by_path[0],
        "version": package_version(),
        "command": command_line(),
        "started": min(metadata["started"] for metadata in metadata_by_path),
        "ended": max(metadata["ended"] for metadata in metadata_by_path),
        "merged": now_utc(),
        "merged_commands": [metadata["command"] for metadata in metadata_by_path],
        "n_images": summary.n_images,
        "failures": dict(summary.failures),
        "content_sha256": summary.content_sha256,
        "domain_check": summary.domain_check,
        "shard": {**metadata_by_path[0]["shard"], "number": 1, "count": 1},
    }


def _split_from(folder: Path, shard: Path, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record of the training's split, whose path is from where the file lies."""
    recorded = recorded_training_split(metadata)
    if recorded is None:
        return {}
    path = shard.parent.resolve() / recorded["path"]
    return {TRAINING_SPLIT: {**recorded, "path": path_from(folder, path)}}


def most_frequent_first(categories: Sequence[Mapping[str, Any]]) -> list[int]:
    """Return the category ids of a category table with its evidence, most images first."""
    ranked = sorted(categories, key=lambda category: -int(category["n_images"]))
    return [int(category["category_id"]) for category in ranked]
