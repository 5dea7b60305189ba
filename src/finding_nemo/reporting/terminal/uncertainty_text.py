"""Novelty, calibration, thresholds and sets for the terminal, on stdout."""

from __future__ import annotations

import math

from finding_nemo.evaluation.evaluation_results import Evaluation
from finding_nemo.evaluation.uncertainty_results import TrustFindings
from finding_nemo.reporting.html.page import format_score, format_share
from finding_nemo.reporting.terminal.tables import print_line, print_table


def print_trust(evaluation: Evaluation) -> None:
    """Write what is known of novelty, calibration, names and sets; nothing where it is not."""
    trust = evaluation.trust
    if evaluation.novelty:
        novelty = evaluation.novelty
        print_line(
            f"MAP@20 {evaluation.model.map_at_20.value:.4f}, 2 x AUC - 1 {novelty.scaled_auc:.4f} "
            f"on {novelty.n_novel} novel images, mean (competition score) "
            f"{novelty.competition_score:.4f}"
        )
    if trust is None:
        return
    _print_scorers(trust)
    if trust.raw is not None:
        print_line(
            f"calibration error {trust.raw.ece:.4f} before, {trust.calibrated.ece:.4f} after; "
            f"perfect probabilities would show {trust.chance_ece:.4f} on so few dives; "
            f"Brier {trust.raw.brier:.4f} before, {trust.calibrated.brier:.4f} after; MAP@20 "
            f"{trust.raw_map_at_20:.4f} before, {trust.map_at_20:.4f} after"
        )
    _print_named(trust)


def _print_scorers(trust: TrustFindings) -> None:
    if not trust.scorers:
        return
    print_table(
        ("novelty score", "AUC", "95 % by dive", "2 x AUC - 1", "FPR at 95 % TPR", "its interval"),
        [
            (
                f"{s.name} ({s.kind})" if s.kind != "score" else s.name,
                format_score(s.auc),
                f"{s.auc_low:.3f} to {s.auc_high:.3f}",
                format_score(s.scaled_auc),
                format_share(s.fpr_at_95),
                f"{format_share(s.fpr_low)} to {format_share(s.fpr_high)}",
            )
            for s in trust.scorers
        ],
        title="novelty beside its floors",
    )


def _print_named(trust: TrustFindings) -> None:
    if trust.points and trust.precision is not None:
        within = sum(point.is_within is True for point in trust.points)
        reached = sum(point.is_reached for point in trust.points)
        print_line(
            f"precision {trust.precision}: {reached} categories are named, "
            f"{len(trust.points) - reached} more have a most precise threshold, "
            f"{trust.n_without_point} none; {within} of {len(trust.points)} reach a precision "
            "here within the stated interval"
        )
    if trust.sets is not None:
        print_line(
            f"sets: {format_share(trust.sets.coverage)} of images miss no true category "
            f"({format_share(trust.sets.coverage_by_dive)} by dive), mean size "
            f"{trust.sets.mean_size:.1f}"
        )
    said = [s for s in trust.said if s.n_images]
    if said:
        words = [
            f"{s.kind} {s.n_images}"
            + ("" if math.isnan(s.share_right) else f" ({format_share(s.share_right)} right)")
            for s in said
        ]
        print_line("said: " + ", ".join(words))
