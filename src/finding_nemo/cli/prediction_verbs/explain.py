"""`finding-nemo explain BUNDLE IMAGE... --out FILE.png`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finding_nemo.cli.options.output_options import check_files, check_suffix
from finding_nemo.cli.options.predict_options import Every

if TYPE_CHECKING:
    from finding_nemo.prediction.explain_frames import FrameExplanation
    from finding_nemo.reporting.figures.explanation_picture import ExplainedFrame

EXAMPLES = (
    "finding-nemo explain runs/nemo frame.png --out why.png",
    "finding-nemo explain runs/probe dive-0297/*42.jpg --category 'Tanner crab' --out crab.png",
)
# A picture of more is taller than a screen can show.
_MOST_IN_PICTURE = 12


def explain(
    bundle: Annotated[
        Path,
        typer.Argument(help="The bundle, or the run folder that holds it.", show_default=False),
    ],
    names: Annotated[
        list[str],
        typer.Argument(metavar="IMAGE...", help="Files, folders, URLs, tars or videos."),
    ],
    out: Annotated[Path, typer.Option(help="The picture: PNG or SVG.")],
    guesses: Annotated[
        int, typer.Option(min=1, max=5, help="How many of the best guesses are shown.")
    ] = 3,
    category: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Show where this category is seen, however unlikely it is."
        ),
    ] = None,
    every: Every = None,
    overwrite: Annotated[bool, typer.Option(help="Replace an existing picture.")] = False,
) -> None:
    """Show where in frames the guesses come from, as a picture."""
    check_suffix(out, "--out", ".png", ".svg")
    check_files({"--out": out}, overwrite=overwrite, inputs=(bundle, *map(Path, names)))
    from finding_nemo.cli.console.notices import reporter
    from finding_nemo.cli.console.words import print_result
    from finding_nemo.cli.prediction_verbs.look import seconds_between
    from finding_nemo.models.bundle.bundle import load_bundle
    from finding_nemo.prediction.explain_frames import Explainer, find_category
    from finding_nemo.prediction.sources.image_sources import ImageSelection
    from finding_nemo.reporting.figures.explanation_picture import WAYS, draw_explanation

    explainer = Explainer(load_bundle(bundle))
    column = None if category is None else find_category(explainer.bundle.categories, category)
    selection = ImageSelection(tuple(names), every_s=seconds_between(every))
    found = list(selection.stream(reporter()))
    if len(found) > _MOST_IN_PICTURE:
        raise typer.BadParameter(
            f"A picture shows at most {_MOST_IN_PICTURE} images, and these are {len(found)}."
        )
    print_result(f"maps: {WAYS[explainer.way]}")
    rows = []
    for explanation in explainer.explain(found, n_guesses=guesses, column=column):
        _print(explanation)
        row = _row(explanation)
        rows += [] if row is None else [row]
    if not rows:
        reporter().message("No image could be used.")
        raise typer.Exit(1)
    draw_explanation(rows, out, way=explainer.way)
    print_result(f"picture {out}")


def _print(explanation: FrameExplanation) -> None:
    from finding_nemo.cli.console.words import print_result
    from finding_nemo.reporting.guess_rows import full_name, probability_in_words
    from finding_nemo.reporting.terminal.look_text import print_failure

    failure = explanation.prediction.failure
    if failure is not None:
        print_failure(explanation.image.location, failure)
        return
    print_result(explanation.image.location)
    for guess in explanation.guesses:
        name = full_name(guess.supercategory, guess.name)
        print_result(
            f"  {probability_in_words(guess.probability):>5}  {name}: {_where(guess.peak)}"
        )


def _where(place: tuple[float, float] | None) -> str:
    if place is None:
        return "no part of the frame speaks more for it than another"
    left, top = (round(100 * share) for share in place)
    return f"most at {left} % of the width from the left, {top} % of the height from the top"


def _row(explanation: FrameExplanation) -> ExplainedFrame | None:
    from finding_nemo.prediction.sources.display_image import display_pixels
    from finding_nemo.reporting.figures.explanation_picture import ExplainedFrame
    from finding_nemo.reporting.guess_rows import answer_in_words

    size = (explanation.prediction.width or 0, explanation.prediction.height or 0)
    if not explanation.guesses or not all(size):
        return None
    pixels = display_pixels(explanation.image, size, most_px=900)
    if pixels is None:
        return None
    answer = answer_in_words(explanation.prediction.answer)
    return ExplainedFrame(
        name=explanation.image.location,
        pixels=pixels,
        guesses=explanation.guesses,
        answer=f"answer: {answer}" if answer else "",
    )
