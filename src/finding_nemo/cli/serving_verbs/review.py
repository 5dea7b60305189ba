"""`finding-nemo review PREDICTIONS --images DIR`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from finding_nemo.cli.console.words import print_result
from finding_nemo.cli.options import serve_options as options
from finding_nemo.cli.options.dataset_options import DivePattern
from finding_nemo.cli.options.review_options import PlacesData, PredictionsWithEmbeddings

EXAMPLES = (
    "finding-nemo review dive.parquet --images frames/ --open",
    "finding-nemo review archive.parquet --images frames/ --data fathomnet/ --reviews reviews.csv",
)


def review(
    predictions: PredictionsWithEmbeddings,
    images: Annotated[
        Path | None,
        typer.Option(help="The folder of the images, where they are not where they were."),
    ] = None,
    data: PlacesData = None,
    dive_pattern: DivePattern = None,
    reviews: Annotated[
        Path | None,
        typer.Option(
            help="What you saw before: id,categories (.csv), taken for frames without a review."
        ),
    ] = None,
    reviews_db: Annotated[
        Path | None,
        typer.Option(help="Where reviews are kept; by default NAME.reviews.sqlite beside it."),
    ] = None,
    reviewer: options.Reviewer = None,
    port: options.Port = 8765,
    host: options.Host = "127.0.0.1",
    token: options.Token = None,
    allow_host: options.AllowHost = None,
    open_page: options.Open = False,
) -> None:
    """Look at the frames of a predictions file on a page, and name the rest by what you see.

    Each review is kept at once, and the rest of its dive is named anew. Ctrl-C ends it.
    """
    from finding_nemo.cli.console.notices import reporter, show_notices
    from finding_nemo.cli.serving_verbs.serve import tell_ready
    from finding_nemo.data.dataset import read_dataset
    from finding_nemo.reviewing.frame_collection import PlacesOptions
    from finding_nemo.reviewing.open_review_session import open_review_session
    from finding_nemo.serving.middleware.access import access_rules
    from finding_nemo.serving.review_api.serve_review import ReviewServing, serve_review
    from finding_nemo.serving.run_server import Address

    rules = access_rules(host, options.token_for(host, token), allow_host or ())
    address = Address(host=host, port=port)
    dataset = read_dataset(data, dive_pattern=dive_pattern) if data else None
    session = open_review_session(
        predictions,
        images=images,
        store=reviews_db,
        reviews=reviews,
        dataset=dataset,
        options=PlacesOptions(data=data, dive_pattern=dive_pattern),
        reviewer=options.reviewer_name(reviewer),
        reporter=reporter(),
    )
    try:
        show_notices(session.collection.notices)
        if session.n_passed_over:
            show_notices(
                [f"{session.n_passed_over} kept reviews are of frames that cannot be reviewed now"]
            )
        n_reviewed = len(session.reviews())
        print_result(f"{n_reviewed} frames reviewed so far, kept in {session.store.path}")
        serve_review(
            session,
            ReviewServing(address=address, rules=rules),
            on_ready=lambda found: tell_ready(address, found, rules.token, opens=open_page),
            reporter=reporter(),
        )
        print_result(f"Stopped: {len(session.reviews())} frames are reviewed.")
    finally:
        session.close()
