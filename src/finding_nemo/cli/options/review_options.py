"""Options of the verbs that work on reviewed predictions: `suggest` and `adapt`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from finding_nemo.adaptation.files.review_state import ReviewState

PredictionsWithEmbeddings = Annotated[
    Path, typer.Argument(help="Predictions made with --embeddings (Parquet).")
]
PlacesData = Annotated[
    Path | None, typer.Option(help="A data set that knows the images' dives and times.")
]


def open_review_state(
    predictions: Path,
    reviews: Path | None,
    *,
    data: Path | None,
    images: Path | None,
    dive_pattern: str | None,
) -> ReviewState:
    """Read predictions and reviews, and say what a reader should know of them."""
    from finding_nemo.adaptation.files.review_state import read_review_state
    from finding_nemo.cli.console.notices import show_notices
    from finding_nemo.data.dataset import read_dataset

    dataset = read_dataset(data, images=images, dive_pattern=dive_pattern) if data else None
    state = read_review_state(
        predictions, reviews=reviews, dataset=dataset, dive_pattern=dive_pattern
    )
    show_notices(state.notices)
    return state
