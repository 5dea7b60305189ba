"""The door: names brought up to date by WoRMS, or by an export of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from finding_nemo.core.reporter import Reporter
from finding_nemo.fetching.worms.worms_cache import WormsCache, cache_path
from finding_nemo.fetching.worms.worms_service import open_worms
from finding_nemo.marine.name_record import NameRecord
from finding_nemo.marine.worms_export import WormsExport
from finding_nemo.marine.worms_names import name_to_ask, update_records


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatedNames:
    """Names as WoRMS has them.

    Attributes:
        records: One for each name, in order.
        not_asked: Names that could not be asked.
        why_not: Why they could not, "" if all could.
        n_no_science: Names that are no scientific names, which nobody was asked for.
    """

    records: tuple[NameRecord, ...]
    not_asked: tuple[str, ...] = ()
    why_not: str = ""
    n_no_science: int = 0


def update_names(
    records: Sequence[NameRecord], reporter: Reporter, *, export: Path | None = None
) -> UpdatedNames:
    """Return `records` as WoRMS has them; what it could not say stays as it was.

    Args:
        records: What is known so far.
        reporter: Told how it goes.
        export: A Darwin Core archive of WoRMS; without it, the service is asked.

    Raises:
        NamesError: If the export cannot be read.
        AddressError: If WORMS_API_URL holds no address.
        ModuleNotFoundError: If the service is to be asked and httpx is not installed.
    """
    n_no_science = sum(not name_to_ask(record) for record in records)
    if export is not None:
        found, not_asked = update_records(records, WormsExport(export))
        return UpdatedNames(records=found, not_asked=not_asked, n_no_science=n_no_science)
    service = open_worms(reporter, WormsCache(cache_path()))
    with service.client:
        found, not_asked = update_records(records, service)
    return UpdatedNames(
        records=found,
        not_asked=not_asked,
        why_not=service.why_not,
        n_no_science=n_no_science,
    )
