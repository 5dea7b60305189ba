"""Novelty, calibration, thresholds and sets for the terminal, on stdout."""

from __future__ import annotations

import math

from finding_nemo.core.text.intervals import interval_in_words
from finding_nemo.core.text.plurals import in_number
from finding_nemo.evaluation.evaluation_results import Evaluation
from finding_nemo.evaluation.uncertainty_results import UncertaintyResults
from finding_nemo.reporting.html.page import format_score, format_share
from finding_nemo.reporting.terminal.tables import print_line, print_table


def print_uncertainty(evaluation: Evaluation) -> None:
    """Write what is known of novelty, calibration, names and sets; nothing where it is not."""
    results = evaluation.uncertainty
    if evaluation.novelty:
        novelty = evaluation.novelty
        print_line(
            f"MAP@20 {evaluation.model.map_at_20.value:.4f}, 2 x AUC - 1 {novelty.scaled_auc:.4f} "
            f"on {in_number(novelty.n_novel, 'novel image')}, mean (competition score) "
            f"{novelty.competition_score:.4f}"
        )
    if results is None:
        return
    _print_scorers(results)
    if results.raw is not None:
        print_line(
            f"calibration error {results.raw.ece:.4f} before, {results.calibrated.ece:.4f} after; "
            f"perfect probabilities would show {results.chance_ece:.4f} on so few dives; "
            f"Brier {results.raw.brier:.4f} before, {results.calibrated.brier:.4f} after"
        )
    _print_named(results)


def _print_scorers(results: UncertaintyResults) -> None:
    if not results.scorers:
        return
    print_table(
        ("novelty score", "AUC", "95 % by dive", "2 x AUC - 1", "FPR at 95 % TPR", "its interval"),
        [
            (
                f"{s.name} ({s.kind})" if s.kind != "score" else s.name,
                format_score(s.auc),
                interval_in_words(s.auc_low, s.auc_high),
                format_score(s.scaled_auc),
                format_share(s.fpr_at_95),
                f"{format_share(s.fpr_low)} to {format_share(s.fpr_high)}",
            )
            for s in results.scorers
        ],
        title="novelty beside its baselines",
    )


def _print_named(results: UncertaintyResults) -> None:
    if results.points and results.precision is not None:
        within = sum(point.is_within is True for point in results.points)
        reached = sum(point.is_reached for point in results.points)
        print_line(
            f"precision {results.precision}: {reached} categories are named, "
            f"{len(results.points) - reached} more have a most precise threshold, "
            f"{results.n_without_point} none; {within} of {len(results.points)} reach a precision "
            "here within the stated interval"
        )
    if results.sets is not None:
        print_line(
            f"sets: {format_share(results.sets.coverage)} of images miss no true category "
            f"({format_share(results.sets.coverage_by_dive)} by dive), mean size "
            f"{results.sets.mean_size:.1f}"
        )
    answered = [s for s in results.answers if s.n_images]
    if answered:
        words = [
            f"{s.kind} {s.n_images}"
            + ("" if math.isnan(s.share_right) else f" ({format_share(s.share_right)} right)")
            for s in answered
        ]
        print_line("said: " + ", ".join(words))
