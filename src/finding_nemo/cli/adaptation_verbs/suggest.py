"""`finding-nemo suggest PREDICTIONS --per-dive K --out next.csv`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finding_nemo.cli.console.words import print_result
from finding_nemo.cli.options.dataset_options import DivePattern, ImagesFolder
from finding_nemo.cli.options.output_options import check_files, check_suffix
from finding_nemo.cli.options.review_options import (
    PlacesData,
    PredictionsWithEmbeddings,
    open_review_state,
)
from finding_nemo.core.text.plurals import in_number

if TYPE_CHECKING:
    from finding_nemo.adaptation.suggest_frames import Suggestions

EXAMPLES = (
    "finding-nemo suggest dive.parquet --per-dive 5 --out next.csv",
    "finding-nemo suggest dive.parquet --budget 20 --reviews reviews.csv --out next.csv",
)


def suggest(
    predictions: PredictionsWithEmbeddings,
    out: Annotated[Path, typer.Option(help="The list to write: id, dive, rank, why (.csv).")],
    per_dive: Annotated[
        int | None, typer.Option(min=1, help="Ask for so many of each dive.")
    ] = None,
    budget: Annotated[
        int | None, typer.Option(min=1, help="Ask for so many in all, where they help most.")
    ] = None,
    reviews: Annotated[
        Path | None, typer.Option(help="What you saw so far: id,categories (.csv).")
    ] = None,
    data: PlacesData = None,
    images: ImagesFolder = None,
    dive_pattern: DivePattern = None,
    overwrite: Annotated[bool, typer.Option(help="Replace an existing file.")] = False,
) -> None:
    """Ask for the frames that tell most about the rest of their dives.

    Look at them, write what you see into reviews.csv, and give it to `adapt`.
    """
    if (per_dive is None) == (budget is None):
        raise typer.BadParameter("give either --per-dive or --budget.")
    check_suffix(out, "--out", ".csv")

    from finding_nemo.adaptation.suggest_frames import suggest_frames, write_suggestions
    from finding_nemo.cli.console.notices import reporter
    from finding_nemo.reporting.terminal.result_document import give_value

    check_files({"--out": out}, overwrite=overwrite, inputs=(predictions, reviews, data))
    state = open_review_state(
        predictions, reviews, data=data, images=images, dive_pattern=dive_pattern
    )
    found = suggest_frames(state, per_dive=per_dive, budget=budget, reporter=reporter())
    write_suggestions(found, out, overwrite=overwrite)
    give_value("suggestions", found)
    for line in _lines(found):
        print_result(line)
    print_result(f"{in_number(len(found.rows), 'frame')} to look at: {out}")


def _lines(found: Suggestions) -> list[str]:
    if not found.n_reviewed:
        return [f"{in_number(found.n_dives, 'dive')}, nobody has looked at a frame yet"]
    lines = [
        f"{in_number(found.n_reviewed, 'frame')} looked at, in {found.n_reviewed_dives} of "
        f"{in_number(found.n_dives, 'dive')}"
    ]
    if found.quality is None:
        return lines
    interval = found.quality.interval
    lines.append(
        f"the {in_number(found.quality.n_rest, 'other frame')} of those dives: MAP@20 about "
        f"{found.quality.map_at_20:.2f} ({interval.low:.2f} to {interval.high:.2f} for nine of ten)"
    )
    for target, count in found.more_frames.items():
        lines.append(f"to reach {target:.2f}: {_more(count)}")
    return lines


def _more(count: int | None) -> str:
    if count is None:
        return "more frames than can be foretold"
    return f"about {count} more frames" if count else "reached already, as far as can be told"
