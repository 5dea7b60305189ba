"""What was measured when a network was exported: kept in the bundle, asked by prediction."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from finding_nemo.core.config import Settings
from finding_nemo.core.errors import BundleError
from finding_nemo.core.files.atomic_files import write_text
from finding_nemo.core.names.inference_names import Dtype
from finding_nemo.models.bundle.bundle_files import EXPORTS, read_file_of


class ExportRecord(Settings):
    """The accuracy of one way of computing a bundle's network, on real frames.

    Attributes:
        runtime: A name of `RUNTIMES`.
        dtype: Of the arithmetic.
        n_images: Frames that it was measured on, none of them trained on.
        n_dives: Their dives.
        map_at_20_float32: MAP@20 of the network in float32.
        map_at_20: MAP@20 computed this way.
        largest_probability_change: From float32, over all frames and categories.
        mean_probability_change: From float32, over all frames and categories.
        n_calibration_images: Training frames that int8 was calibrated on, else 0.
        n_calibration_dives: Their dives.
        allowed_map_at_20_loss: The bar: a larger loss is refused.
        allowed_probability_change: The bar: a larger change is refused.
        libraries: Versions that it was measured with.
    """

    runtime: str
    dtype: Dtype
    n_images: int
    n_dives: int
    map_at_20_float32: float
    map_at_20: float
    largest_probability_change: float
    mean_probability_change: float
    n_calibration_images: int = 0
    n_calibration_dives: int = 0
    allowed_map_at_20_loss: float
    allowed_probability_change: float
    libraries: dict[str, str]

    @property
    def map_at_20_change(self) -> float:
        """How much MAP@20 rose (above 0) or fell."""
        return self.map_at_20 - self.map_at_20_float32

    @property
    def is_good_enough(self) -> bool:
        """Whether it stays within both bars."""
        return (
            -self.map_at_20_change <= self.allowed_map_at_20_loss
            and self.largest_probability_change <= self.allowed_probability_change
        )


class ExportRecords(Settings):
    """The contents of `exports.json`."""

    records: tuple[ExportRecord, ...] = ()

    def find(self, runtime: str, dtype: Dtype) -> ExportRecord | None:
        """Return the record of one way of computing, if it was measured."""
        wanted = (runtime, dtype)
        return next((r for r in self.records if (r.runtime, r.dtype) == wanted), None)

    def having(self, record: ExportRecord) -> ExportRecords:
        """Return the records with `record` in the place of an earlier one of its kind."""
        kind = (record.runtime, record.dtype)
        kept = [r for r in self.records if (r.runtime, r.dtype) != kind]
        return ExportRecords(records=(*kept, record))


def read_export_records(folder: Path) -> ExportRecords:
    """Return what was measured of the bundle `folder`; nothing if it was never exported.

    Raises:
        BundleError: If the file is damaged.
    """
    path = folder / EXPORTS
    if not path.is_file():
        return ExportRecords()
    try:
        content = _renamed(json.loads(read_file_of(folder, EXPORTS).decode("utf-8")))
        return ExportRecords.build(content, source=str(path))
    except (ValueError, TypeError, RecursionError) as error:
        if isinstance(error, BundleError):
            raise
        words = str(error)[:300]
        raise BundleError(f"{path} cannot be read: {words}. Export the bundle again.") from None


def _renamed(content: Any) -> Any:  # noqa: ANN401 - any JSON can stand there
    """Return the content with the names of today: `dtype` was `precision`."""
    records = content.get("records") if isinstance(content, dict) else None
    for record in records if isinstance(records, list) else ():
        if isinstance(record, dict) and "precision" in record:
            record["dtype"] = record.pop("precision")
    return content


def write_export_records(folder: Path, records: ExportRecords) -> None:
    """Write what was measured of the bundle `folder`."""
    write_text(folder / EXPORTS, records.model_dump_json(indent=2) + "\n")
