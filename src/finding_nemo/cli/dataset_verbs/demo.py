"""`finding-nemo demo`: the whole way on a data set that the package draws itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finding_nemo.cli.console.words import print_result
from finding_nemo.cli.options.output_options import check_folder

if TYPE_CHECKING:
    from finding_nemo.workflows.run_demo import Demo

EXAMPLES = ("finding-nemo demo --out my-demo",)


# What a person opens first, each with what it shows.
_TO_OPEN = {
    "dives": "what is in the test dives: the page that you get of your own",
    "report": "how good the answers are on dives that training never saw",
    "picture": "three frames with their guesses",
    "inspection": "what was drawn",
}


def demo(
    out: Annotated[Path, typer.Option(help="The folder to make.")] = Path("finding-nemo-demo"),
    images: Annotated[int, typer.Option(min=200, help="About how many frames to draw.")] = 1400,
    seed: Annotated[int, typer.Option(help="Of the drawing, the split and the training.")] = 0,
    overwrite: Annotated[bool, typer.Option(help="Replace an earlier demo.")] = False,
) -> None:
    """Draw deep-sea frames, then inspect, split by dive, train, predict, evaluate and submit."""
    from finding_nemo.cli.console.notices import reporter

    check_folder(out, overwrite=overwrite, inputs=())
    # Said before the libraries are loaded, which takes seconds.
    reporter().message(
        f"The demo makes {out}: frames of drawn animals, a training, predictions and pages. It "
        "takes about 4 minutes on two cores that do nothing else."
    )
    with reporter().display("starting"):
        from finding_nemo.workflows.run_demo import run_demo
    _print(run_demo(out, images=images, seed=seed, overwrite=overwrite, reporter=reporter()))


def _print(made: Demo) -> None:
    from finding_nemo.reporting.terminal.evaluation_text import print_evaluation, print_line
    from finding_nemo.workflows.run_demo import sure_in_words

    print_evaluation(made.evaluation)
    score = made.score
    if score.auc is not None and score.final is not None:
        print_line(
            f"submission, {score.n_images} evaluation frames, some below 800 m: MAP@20 "
            f"{score.map_at_20:.3f}, 2 x AUC - 1 {2 * score.auc - 1:.3f}, score {score.final:.3f}"
        )
    print_line(f"{sure_in_words(made.evaluation.answers)}.")
    for what, path in made.outputs.items():
        if what not in _TO_OPEN:
            print_result(f"{what:<12} {path}")
    print_result("Open these, in a browser or a viewer of pictures:")
    for what, shows in _TO_OPEN.items():
        print_result(f"{what:<12} {made.outputs[what]}: {shows}")
