"""`finding-nemo adapt PREDICTIONS --reviews reviews.csv --out adapted.parquet`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from finding_nemo.cli.console.words import print_result
from finding_nemo.cli.options.dataset_options import DivePattern, ImagesFolder
from finding_nemo.cli.options.output_options import check_files
from finding_nemo.cli.options.predict_options import Format
from finding_nemo.cli.options.review_options import (
    PlacesData,
    PredictionsWithEmbeddings,
    open_review_state,
)

EXAMPLES = (
    "finding-nemo adapt dive.parquet --reviews reviews.csv --out adapted.parquet",
    "finding-nemo adapt dive.parquet --reviews reviews.csv --data fathomnet/ --out adapted.parquet",
)


def adapt(
    predictions: PredictionsWithEmbeddings,
    reviews: Annotated[
        Path, typer.Option(help="What you saw in some frames: id,categories (.csv).")
    ],
    out: Annotated[Path, typer.Option(help="The file to write.")],
    file_format: Format = None,
    data: PlacesData = None,
    images: ImagesFolder = None,
    dive_pattern: DivePattern = None,
    overwrite: Annotated[bool, typer.Option(help="Replace an existing file.")] = False,
) -> None:
    """Name the rest of a dive by what you saw in a few of its frames.

    A name that the bundle never learnt is found in the rest of the dive, too.
    """
    from finding_nemo.adaptation.adapt_predictions import adapt_predictions
    from finding_nemo.cli.console.notices import reporter
    from finding_nemo.reporting.terminal.result_document import give_value
    from finding_nemo.results.prediction_formats import choose_format

    choose_format(out, file_format)
    check_files({"--out": out}, overwrite=overwrite, inputs=(predictions, reviews, data))
    state = open_review_state(
        predictions, reviews, data=data, images=images, dive_pattern=dive_pattern
    )
    done = adapt_predictions(
        state,
        out,
        reviews=reviews,
        file_format=file_format,
        overwrite=overwrite,
        reporter=reporter(),
    )
    give_value("adaptation", done)
    print_result(
        f"{done.n_reviewed} frames looked at name {done.n_rest} others in {done.n_dives} of "
        f"{len(state.dives)} dives"
    )
    if done.new_names:
        print_result(f"new categories: {', '.join(done.new_names)}")
    if done.quality is not None:
        low, high = done.quality.interval.low, done.quality.interval.high
        print_result(
            f"the others: MAP@20 about {done.quality.map_at_20:.2f} ({low:.2f} to {high:.2f} for "
            "nine of ten)"
        )
    print_result(f"{done.n_images} images: {out}")
