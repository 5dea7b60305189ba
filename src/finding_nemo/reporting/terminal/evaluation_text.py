"""Tables for the terminal, on stdout."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from finding_nemo.core.text.intervals import interval_in_words
from finding_nemo.core.text.plurals import in_number
from finding_nemo.evaluation.dataset.split_summary import PartSummary
from finding_nemo.evaluation.evaluate_answers import answers_in_words
from finding_nemo.evaluation.evaluation_results import Evaluation
from finding_nemo.marine.name_words import rank_in_words
from finding_nemo.marine.names_file import known_names
from finding_nemo.reporting.html.page import format_count, format_score, format_share
from finding_nemo.reporting.terminal.tables import print_line as print_line
from finding_nemo.reporting.terminal.tables import print_table as print_table
from finding_nemo.reporting.terminal.uncertainty_text import print_uncertainty

_N_CATEGORIES = 12


def print_evaluation(evaluation: Evaluation, *, names_file: Path | None = None) -> None:
    """Write the score beside its baselines, then the categories with the most images.

    Args:
        evaluation: What was found.
        names_file: A table of names, which counts before that of the package.
    """
    print_table(
        ("", "MAP@20", "95 % by dive", "each dive once", "macro AP"),
        [
            (
                method.name if method.name != "prior" else "prior (class frequency)",
                format_score(method.map_at_20.value),
                method.map_at_20.interval_in_words(),
                format_score(method.map_at_20_by_dive.value),
                format_score(method.macro_ap),
            )
            for method in (evaluation.model, evaluation.prior, evaluation.time_copy)
            if method is not None
        ],
        title=f"{in_number(evaluation.n_images, 'image')} of "
        f"{in_number(evaluation.n_dives, 'dive')}",
    )
    gain = evaluation.gain
    between = interval_in_words(gain.low, gain.high, "+.3f")
    print_line(f"gain over the prior {gain.value:+.3f} ({between})")
    print_line(evaluation.rankings.in_words())
    if evaluation.ancestors is not None:
        print_line(evaluation.ancestors.in_words())
    if evaluation.answers:
        print_line(answers_in_words(evaluation.answers))
    print_uncertainty(evaluation)
    _print_categories(evaluation, names_file)


def _print_categories(evaluation: Evaluation, names_file: Path | None) -> None:
    occurring = [category for category in evaluation.categories if category.n_images]
    shown = sorted(occurring, key=lambda c: (-c.n_images, c.name))[:_N_CATEGORIES]
    known = known_names([category.name for category in shown], path=names_file)
    ranks = {name: rank_in_words(record) for name, record in known.items()}
    has_ranks = any(ranks.values())
    print_table(
        (
            "category",
            *(("rank",) if has_ranks else ()),
            *("AP", "constant", "images", "dives", "trained on"),
        ),
        [
            (
                category.name,
                *((ranks[category.name],) if has_ranks else ()),
                format_score(category.ap),
                format_score(category.prior_ap),
                format_count(category.n_images),
                format_count(category.n_dives),
                "unknown"
                if category.train_images is None
                else f"{category.train_images:,} of {in_number(category.train_dives or 0, 'dive')}",
            )
            for category in shown
        ],
        title=f"the {len(shown)} most frequent of {len(occurring)} categories",
    )


def print_split(parts: Sequence[PartSummary]) -> None:
    """Write what each part holds and how near its training frames are."""
    print_table(
        ("part", "images", "dives", "categories", "untrained", "same dive", "60 s", "10 s"),
        [
            (
                part.name,
                format_count(part.n_images),
                format_count(part.n_dives),
                format_count(part.n_categories),
                format_count(part.n_untrained) if part.leakage else "",
                format_share(part.leakage.same_dive) if part.leakage else "",
                format_share(part.leakage.within_60_s) if part.leakage else "",
                format_share(part.leakage.within_10_s) if part.leakage else "",
            )
            for part in parts
        ],
        title="parts, and the share of their frames with a training frame near",
    )
