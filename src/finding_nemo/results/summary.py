"""What happened to the images of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import pyarrow as pa

from finding_nemo.results.content_hash import ContentHash


@dataclass
class PredictionSummary:
    """What happened to the images of one run.

    Attributes:
        n_images: Rows written.
        failures: How many images failed for each reason.
        first_failures: The first few failed files with their reason.
        content_sha256: Hash of all that the rows say; see `results.content_hash`.
        domain_check: Whether the images look like those of the training, as JSON-ready values;
            `None` where nothing can be said.
    """

    n_images: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    first_failures: list[str] = field(default_factory=list)
    content_sha256: str = ""
    domain_check: Mapping[str, Any] | None = None

    @property
    def warning(self) -> str:
        """What a person must know before the rest, "" where there is nothing."""
        return str(self.domain_check["message"]) if self.domain_check else ""

    @property
    def n_failed(self) -> int:
        """How many images could not be used."""
        return self.failures.total()

    def add(self, rows: pa.Table) -> None:
        """Count rows."""
        self.n_images += len(rows)
        failed = rows.filter(rows.column("failure").is_valid())
        for row in failed.select(["path", "failure"]).to_pylist():
            self.failures[row["failure"]] += 1
            if len(self.first_failures) < 3:
                self.first_failures.append(f"{row['path']}: {row['failure']}")

    def watched(self, tables: Iterable[pa.Table], schema: pa.Schema) -> Iterator[pa.Table]:
        """Pass rows on, adding them up; the hash is there after the last."""
        digest = ContentHash(schema)
        for rows in tables:
            digest.add(rows)
            self.add(rows)
            yield rows
        self.content_sha256 = digest.hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-ready values."""
        return {
            "n_images": self.n_images,
            "failures": dict(self.failures),
            "first_failures": self.first_failures,
            "content_sha256": self.content_sha256,
            "domain_check": self.domain_check,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return what `to_json` gave."""
        return cls(**{**values, "failures": Counter(values["failures"])})
