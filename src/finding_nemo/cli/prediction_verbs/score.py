"""`finding-nemo score SUBMISSION SOLUTION`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from finding_nemo.cli.console.words import print_result

EXAMPLES = ("finding-nemo score submission.csv solution.csv",)


def score(
    submission: Annotated[Path, typer.Argument(help="id,categories,osd as submitted.")],
    solution: Annotated[Path, typer.Argument(help="id,categories,osd with the truth.")],
) -> None:
    """Score a submission with the competition's own metric."""
    from finding_nemo.cli.console.notices import show_notices
    from finding_nemo.evaluation.submission_score import score_submission
    from finding_nemo.reporting.terminal.result_document import give_value
    from finding_nemo.results.submission import read_submission

    found = score_submission(read_submission(submission), read_submission(solution))
    show_notices(found.notices)
    give_value("score", found)
    print_result(f"images       {found.n_images}")
    print_result(f"MAP@20       {found.map_at_20:.6f}")
    if found.auc is None or found.final is None:
        print_result(f"2 x AUC - 1  not known: {found.why_no_auc}")
        return
    print_result(f"2 x AUC - 1  {2 * found.auc - 1:.6f}")
    print_result(f"final score  {found.final:.6f}")
