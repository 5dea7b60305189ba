"""`finding-nemo novelty DATASET --out DIR`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finding_nemo.cli.console.words import print_result
from finding_nemo.cli.options.dataset_options import Changes, DatasetPath, DivePattern, ImagesFolder
from finding_nemo.cli.options.output_options import check_folder

if TYPE_CHECKING:
    from finding_nemo.workflows.novelty_benchmark import HoldoutRow


EXAMPLES = ("finding-nemo novelty fathomnet/ --out novelty",)


def novelty(
    dataset: DatasetPath,
    out: Annotated[Path, typer.Option(help="The folder to make.")],
    recipe: Annotated[str, typer.Option(help="A recipe; `recipes` lists them.")] = "probe",
    holdouts: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="At most this many hold-outs, evenly over the categories. By default every "
            "category that can be held out alone, and pairs where those are fewer than 8.",
        ),
    ] = None,
    far: Annotated[int, typer.Option(min=0, help="Frames of elsewhere to draw; 0 for none.")] = 200,
    changes: Changes = None,
    images: ImagesFolder = None,
    dive_pattern: DivePattern = None,
    seed: Annotated[int, typer.Option(help="Of splits, trainings and drawings.")] = 0,
    overwrite: Annotated[bool, typer.Option(help="Replace an earlier test.")] = False,
) -> None:
    """Test how well categories that training never saw are noticed, beside two simple baselines."""
    from finding_nemo.cli.console.notices import reporter, show_notices
    from finding_nemo.core.config import parse_assignments
    from finding_nemo.data.dataset import read_dataset
    from finding_nemo.data.splits.category_holdouts import alone_first, choose_holdouts, spread_out
    from finding_nemo.workflows.novelty_benchmark import run_novelty_benchmark

    check_folder(out, overwrite=overwrite, inputs=(dataset, images))
    settings = parse_assignments(changes or [])
    data = read_dataset(dataset, images=images, dive_pattern=dive_pattern)
    show_notices(data.notices)
    chosen = alone_first(choose_holdouts(data))
    rows = run_novelty_benchmark(
        data,
        out=out,
        holdouts=spread_out(chosen, holdouts or len(chosen)),
        recipe=recipe,
        settings=settings,
        n_far=far,
        seed=seed,
        overwrite=overwrite,
        reporter=reporter(),
    )
    _print(rows)
    print_result(f"table {out / 'novelty.csv'}")


def _print(rows: Sequence[HoldoutRow]) -> None:
    from finding_nemo.reporting.html.page import format_score, format_share
    from finding_nemo.reporting.terminal.result_document import give_value
    from finding_nemo.reporting.terminal.tables import print_line, print_table
    from finding_nemo.workflows.novelty_benchmark import mean_by_score

    give_value("holdouts", rows)
    print_table(
        ("score", "kind", "mean AUC", "2 x AUC - 1", "FPR at 95 % TPR", "AUC of far frames"),
        [
            (
                name,
                kind,
                format_score(auc),
                format_score(2 * auc - 1),
                format_share(fpr),
                format_score(far_auc),
            )
            for name, kind, auc, fpr, far_auc in mean_by_score(rows)
        ],
        title=f"means over {len(rows)} hold-outs, each on unseen dives",
    )
    scores = [row.competition_score for row in rows]
    print_line(f"competition score, mean over hold-outs: {sum(scores) / len(scores):.4f}")
