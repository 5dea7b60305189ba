"""Probabilities, thresholds and sets: by hand, by a slow version, and in the right direction."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from finding_nemo.core.errors import PredictionsError, SettingsError
from finding_nemo.metrics.calibration_error import chance_calibration_error, measure_reliability
from finding_nemo.metrics.ranking import rank_columns
from finding_nemo.uncertainty.calibration import (
    CALIBRATIONS,
    DEFAULT_CALIBRATION,
    LogitCalibration,
    ValidationView,
    fit_calibration,
    training_frequency,
)
from finding_nemo.uncertainty.conformal import fit_set_threshold, score_sets
from finding_nemo.uncertainty.isotonic import fit_isotonic, pool_adjacent_violators
from finding_nemo.uncertainty.logistic import fit_logistic, sigmoid
from finding_nemo.uncertainty.operating_points import fit_operating_points
from finding_nemo.uncertainty.unseen_prior import unseen_prior

GROUPS = ("Fish", "Fish", "Crab")
FEW = np.array([3, 3, 3])


def _view(*, too_sure: float, n: int = 3000) -> ValidationView:
    generator = np.random.default_rng(0)
    honest = generator.normal(-1.0, 1.5, (n, 3))
    truth = generator.random((n, 3)) < 1 / (1 + np.exp(-honest))
    return ValidationView(too_sure * honest, truth, [str(row % 20) for row in range(n)])


def test_pooling__by_hand() -> None:
    values, sizes = pool_adjacent_violators(np.array([0.1, 0.5, 0.3, 0.9]), np.ones(4))
    assert values.tolist() == pytest.approx([0.1, 0.4, 0.9])
    assert sizes.tolist() == [1, 2, 1]


def test_isotonic__equals_scikit_learn_at_its_blocks() -> None:
    view = _view(too_sure=1.0, n=200)
    scores, truth = view.logits[:, 0], view.truth[:, 0]
    slow = IsotonicRegression().fit(scores, truth.astype(float))
    curve = fit_isotonic(scores, truth)
    blocks = np.unique(slow.predict(scores))
    np.testing.assert_allclose(curve.values, blocks, atol=1e-9)
    assert (np.diff(curve(np.linspace(-9, 9, 50))) >= 0).all()
    with pytest.raises(PredictionsError, match="got NaN"):
        fit_isotonic(np.array([np.nan]), np.array([True]))


def test_temperature__undoes_what_was_done_to_the_logits() -> None:
    view = _view(too_sure=2.0)
    frequency = training_frequency(np.array([30, 20, 10]), FEW, GROUPS, n_train=100)
    fitted = fit_calibration(view, method="temperature", frequency=frequency)
    assert isinstance(fitted, LogitCalibration)
    # Logits twice as large as honest ones are believed to about half.
    assert fitted.slope.tolist() == pytest.approx([0.5] * 3, abs=0.05)
    low, high = 0.1, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        # The gradient of the summed cross-entropy and of half the squared distance from 1.
        rising = sum((_said(middle * x) - t) * x for x, t in _cells(view)) + middle - 1 > 0
        low, high = (low, middle) if rising else (middle, high)
    assert fitted.slope[0] == pytest.approx(low, abs=1e-9)


def _cells(view: ValidationView) -> list[tuple[float, bool]]:
    rows = zip(view.logits.ravel().tolist(), view.truth.ravel().tolist(), strict=True)
    return list(rows)


def _said(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def test_method__of_a_bundle_is_a_row_and_another_name_is_refused() -> None:
    assert set(CALIBRATIONS) >= {"temperature", DEFAULT_CALIBRATION, "isotonic", "category"}
    view = _view(too_sure=2.5, n=50)
    frequency = training_frequency(np.array([30, 20, 10]), FEW, GROUPS, n_train=100)
    fitted = fit_calibration(view, method=DEFAULT_CALIBRATION, frequency=frequency)
    assert isinstance(fitted, LogitCalibration)
    with pytest.raises(SettingsError, match="Unknown calibration 'none at all'; known: temp"):
        fit_calibration(view, method="none at all", frequency=frequency)


@pytest.mark.parametrize("method", CALIBRATIONS)
def test_calibration__lowers_the_error_and_keeps_order_within_a_category(method: str) -> None:
    view = _view(too_sure=2.5)
    frequency = training_frequency(view.truth.sum(axis=0), FEW, GROUPS, n_train=len(view.truth))
    fitted = fit_calibration(view, method=method, frequency=frequency, supercategories=GROUPS)
    before = measure_reliability(view.truth, sigmoid(view.logits)).ece
    after = measure_reliability(view.truth, fitted(view.logits)).ece
    assert after < 0.6 * before
    for column in range(3):
        order = np.argsort(view.logits[:, column], kind="stable")
        assert (np.diff(fitted(view.logits)[order, column]) >= -1e-12).all()


def test_temperature_and_isotonic__keep_the_ranking_of_every_image() -> None:
    view = _view(too_sure=2.5, n=300)
    frequency = training_frequency(np.array([30, 20, 10]), FEW, GROUPS, n_train=100)
    for method in ("temperature", "isotonic"):
        fitted = fit_calibration(view, method=method, frequency=frequency)
        np.testing.assert_array_equal(
            rank_columns(fitted(view.logits), k=3), rank_columns(view.logits, k=3)
        )


def test_frequency__a_network_that_knows_nothing_is_not_believed() -> None:
    generator = np.random.default_rng(0)
    truth = generator.random((2000, 3)) < [0.3, 0.2, 0.1]
    noise = ValidationView(generator.normal(0, 3, (2000, 3)), truth, ["a"] * 2000)
    frequency = training_frequency(np.array([300, 200, 100]), FEW, GROUPS, n_train=1000)
    fitted = fit_calibration(noise, method="frequency", frequency=frequency)
    np.testing.assert_allclose(fitted(noise.logits).mean(axis=0), [0.3, 0.2, 0.1], atol=0.02)


def test_frequency__an_offset_of_all_logits_is_found_and_costs_no_rank() -> None:
    view = _view(too_sure=1.0)
    said_too_much = ValidationView(view.logits + 2.0, view.truth, view.dives)
    frequency = training_frequency(np.array([300, 200, 100]), FEW, GROUPS, n_train=1000)
    fitted = fit_calibration(said_too_much, method="frequency", frequency=frequency)
    assert isinstance(fitted, LogitCalibration)
    assert fitted.slope.tolist() == pytest.approx([1.0] * 3, abs=0.05)
    # The draws owe nothing to frequency: the offset is -2 in each category.
    assert fitted.offset.tolist() == pytest.approx([-2.0] * 3, abs=0.15)


def test_frequency__equals_scikit_learn_and_gives_the_unseen_their_prior() -> None:
    view = _view(too_sure=1.7, n=400)
    frequency = training_frequency(np.array([300, 40, 0]), np.array([9, 1, 0]), GROUPS, n_train=900)
    fitted = fit_calibration(view, method="frequency", frequency=frequency)
    assert isinstance(fitted, LogitCalibration)
    logits = view.logits[:, :2].ravel()
    often = np.tile(frequency.logits[:2], len(view.logits))
    slow = LogisticRegression(C=1e9, tol=1e-10).fit(
        np.stack([logits, often], axis=1), view.truth[:, :2].ravel()
    )
    slope, share = slow.coef_[0].tolist()
    offset = float(slow.intercept_[0])
    assert fitted.slope[:2].tolist() == pytest.approx([slope] * 2, abs=0.02)
    expected = (offset + share * frequency.logits[:2]).tolist()
    assert fitted.offset[:2].tolist() == pytest.approx(expected, abs=0.05)
    assert (fitted.offset[2], fitted.slope[2]) == (frequency.logits[2], 0.0)


def test_frequency__a_network_worse_than_chance_is_not_reversed() -> None:
    view = _view(too_sure=1.0, n=500)
    wrong = ValidationView(-view.logits, view.truth, view.dives)
    frequency = training_frequency(np.array([300, 200, 100]), FEW, GROUPS, n_train=1000)
    fitted = fit_calibration(wrong, method="frequency", frequency=frequency)
    assert isinstance(fitted, LogitCalibration)
    assert fitted.slope.tolist() == [0, 0, 0]


def test_logistic__by_hand_and_held_where_cells_are_separable() -> None:
    # Three of four true, one constant column: the logit of 3/4, less what the pull takes.
    truth = np.array([True, True, True, False])
    ones = np.ones((4, 1))
    found = fit_logistic(ones, truth, start=np.zeros(1), pull=1e-9)
    assert found[0] == pytest.approx(math.log(3))
    # One true cell alone: sigmoid(w) - 1 + w = 0 has its root at 0.4011.
    held = fit_logistic(ones[:1], truth[:1], start=np.zeros(1), pull=1.0)
    assert held[0] == pytest.approx(0.4011, abs=1e-4)


def test_calibration__an_older_file_is_read() -> None:
    old = LogitCalibration.of({"anchor": [-2.0, -1.0], "slope": [0.7, 0.0]})
    assert old.offset.tolist() == pytest.approx([-0.6, -1.0])
    new = LogitCalibration.of({"offset": [-0.6, -1.0], "slope": [0.7, 0.0]})
    logits = np.array([[1.0, 2.0]])
    np.testing.assert_allclose(old(logits), new(logits))
    assert new(logits)[0, 0] == pytest.approx(sigmoid(np.array([-2 + 0.7 * 3]))[0])


def test_calibration__can_be_undone() -> None:
    calibration = LogitCalibration(np.array([0.0, -0.6, -1.0]), np.array([0.5, 0.7, 0.0]))
    logits = np.array([[1.0, -3.0, 4.0]])
    undone = calibration.undo(calibration(logits))
    np.testing.assert_allclose(undone[0, :2], sigmoid(logits)[0, :2], atol=1e-9)
    # What was never believed stays at its prior.
    assert undone[0, 2] == pytest.approx(sigmoid(np.array([-1.0]))[0])


def test_calibration__says_what_is_wrong() -> None:
    frequency = training_frequency(np.array([1, 1, 1]), FEW, GROUPS, n_train=3)
    empty = ValidationView(np.zeros((2, 3)), np.zeros((2, 3), dtype=np.bool_), ["a", "b"])
    with pytest.raises(PredictionsError, match="with 0 true"):
        fit_calibration(empty, method="temperature", frequency=frequency)
    bad = ValidationView(np.full((1, 3), np.nan), np.ones((1, 3), dtype=np.bool_), ["a"])
    with pytest.raises(PredictionsError, match="got NaN"):
        fit_calibration(bad, method="temperature", frequency=frequency)


def test_unseen__share_what_was_seen_on_one_dive_by_supercategory() -> None:
    counts, dives = np.array([9, 5, 0, 0, 0]), np.array([3, 1, 0, 0, 0])
    groups = ["Fish", "Fish", "Fish", "Worm", "Worm"]
    prior = unseen_prior(counts, dives, groups, n_train=100)
    # Five of 100 images are of a category of one dive; two fish were seen: 3 shares against 1, 1.
    np.testing.assert_allclose(prior, [0, 0, 0.03, 0.01, 0.01])
    assert unseen_prior(np.array([1]), np.array([1]), ["Fish"], n_train=1).tolist() == [0]
    frequency = training_frequency(counts, dives, groups, n_train=100)
    assert frequency.seen.tolist() == [True, True, False, False, False]
    assert sigmoid(frequency.logits)[2] == pytest.approx(0.03)
    nothing_once = unseen_prior(counts, np.array([3, 2, 0, 0, 0]), groups, n_train=100)
    assert nothing_once.sum() == pytest.approx(0.005)


def test_reliability__by_hand() -> None:
    truth = np.array([[True, False], [False, True]])
    probabilities = np.array([[0.8, 0.2], [0.2, 0.8]])
    found = measure_reliability(truth, probabilities, n_bins=2)
    # Both bins are 0.2 off; each cell is 0.2 from its truth.
    assert found.ece == pytest.approx(0.2)
    assert found.brier == pytest.approx(0.04)
    assert [b.share_true for b in found.bins] == [0, 1]
    with pytest.raises(PredictionsError, match="got NaN"):
        measure_reliability(truth, np.full((2, 2), np.nan))


def test_reliability__equals_a_slow_version() -> None:
    view = _view(too_sure=2.0, n=50)
    said = sigmoid(view.logits)
    cells = sorted(zip(said.ravel().tolist(), view.truth.ravel().tolist(), strict=True))
    slow = 0.0
    for k in range(15):  # 150 cells, ten a bin
        part = cells[10 * k : 10 * k + 10]
        slow += abs(sum(p for p, _ in part) - sum(t for _, t in part)) / 150
    found = measure_reliability(view.truth, said)
    assert found.ece == pytest.approx(slow, abs=1e-9)
    assert found.brier == pytest.approx(sum((p - t) ** 2 for p, t in cells) / 150, abs=1e-9)


def test_operating_point__by_hand() -> None:
    # From the top: 18 right, then 2 wrong, then 2 right: 0.9 is reached at 20 and again at 22.
    held = np.array([True] * 18 + [False] * 2 + [True] * 2 + [False] * 20)[:, np.newaxis]
    said = np.linspace(0.9, 0.1, 42)[:, np.newaxis]
    dives = [str(row % 7) for row in range(42)]
    point = fit_operating_points(held, said, dives, precision=0.9)[0]
    assert point.threshold == said[21, 0]
    assert point.precision == pytest.approx(20 / 22)
    assert point.recall == 1
    assert point.precision_interval.low <= 0.9 <= point.precision_interval.high
    assert (point.n_positives, point.n_dives) == (20, 7)
    assert point.false_positive_rate == pytest.approx(2 / 22)
    interval = point.false_positive_interval
    assert 0 <= interval.low <= 2 / 22 <= interval.high <= 1


def test_operating_point__is_the_lowest_of_all_thresholds_that_reach_it() -> None:
    view = _view(too_sure=1.0, n=400)
    said = sigmoid(view.logits)
    for column, point in enumerate(
        fit_operating_points(view.truth, said, view.dives, precision=0.8, draws=20)
    ):
        held, scores = view.truth[:, column], said[:, column]
        reaching = [
            t
            for t in sorted(scores.tolist())
            if (scores >= t).sum() >= 10 and held[scores >= t].mean() >= 0.8
        ]
        possible = [t for t in scores.tolist() if (scores >= t).sum() >= 10]
        assert point.is_reached == bool(reaching)
        assert point.naming_threshold == (min(reaching) if reaching else math.inf)
        if not reaching:
            best = max(held[scores >= t].mean() for t in possible)
            assert point.precision == best
            assert point.threshold == max(t for t in possible if held[scores >= t].mean() == best)


def test_operating_point__needs_evidence() -> None:
    truth = np.zeros((40, 2), dtype=np.bool_)
    truth[:12, 0] = True  # enough frames, all of one dive
    truth[:5, 1] = True  # too few frames
    dives = ["a"] * 12 + [str(row) for row in range(28)]
    said = np.where(truth, 0.9, 0.1)
    points = fit_operating_points(truth, said, dives, precision=0.9)
    assert [point.threshold for point in points] == [math.inf, math.inf]
    assert not any(point.is_reached for point in points)
    with pytest.raises(PredictionsError, match=r"in \(0, 1\], got 1.5"):
        fit_operating_points(truth, said, dives, precision=1.5)


def test_operating_point__two_dives_tell_something_but_name_nothing() -> None:
    held = np.array([True] * 20 + [False] * 40)[:, np.newaxis]
    said = np.linspace(0.9, 0.1, 60)[:, np.newaxis]
    dives = [str(row % 2) if row < 20 else "other" for row in range(60)]
    point = fit_operating_points(held, said, dives, precision=0.9)[0]
    assert np.isfinite(point.threshold)
    assert not point.is_reached
    assert point.naming_threshold == math.inf
    assert point.precision_interval.low <= point.precision <= point.precision_interval.high


def test_operating_point__most_precise_by_hand() -> None:
    # Four in ten are right down to the tenth frame, half down to the twelfth, fewer below.
    held = np.array([True, False] * 2 + [True] + [False] * 3 + [True, False] + [True] * 2)
    held = np.append(held, np.zeros(18, dtype=np.bool_))[:, np.newaxis]
    said = np.linspace(0.9, 0.1, 30)[:, np.newaxis]
    held[20:26] = True
    dives = [str(row % 5) for row in range(30)]
    point = fit_operating_points(held, said, dives, precision=0.9)[0]
    assert held[:10].sum() == 4
    assert point.threshold == said[11, 0]
    assert point.precision == 0.5
    assert not point.is_reached


def test_chance_error__by_hand() -> None:
    # One bin of four cells with a mean gap of 0: dive a strays by 0.2 in all, dive b by -0.2,
    # so the standard error is sqrt((0.04 + 0.04) x 2 / 1) / 4 = 0.1.
    truth = np.array([[False, True], [True, False]])
    said = np.array([[0.2, 1.0], [0.8, 0.0]])
    found = chance_calibration_error(truth, said, ["a", "b"], n_bins=1)
    assert found == pytest.approx(0.1 * math.sqrt(2 / math.pi))
    assert math.isnan(chance_calibration_error(truth, said, ["a", "a"]))


def test_chance_error__is_what_perfect_probabilities_show() -> None:
    generator = np.random.default_rng(0)
    errors, chances = [], []
    dives = [str(row // 10) for row in range(400)]
    for _ in range(40):
        said = generator.uniform(0.05, 0.6, (400, 3))
        # A dive is luckier or less lucky as a whole, without a bias over dives.
        luck = np.repeat(generator.choice([0.5, 1.5], (40, 3)), 10, axis=0)
        truth = generator.random((400, 3)) < said * luck
        errors.append(measure_reliability(truth, said).ece)
        chances.append(chance_calibration_error(truth, said, dives))
    assert np.mean(chances) == pytest.approx(np.mean(errors), rel=0.1)


def test_sets__by_hand() -> None:
    # Ten dives of one frame; the weakest true category has 0.1, 0.2, ... 1.0.
    truth = np.ones((10, 1), dtype=np.bool_)
    said = np.linspace(0.1, 1.0, 10)[:, np.newaxis]
    dives = [str(row) for row in range(10)]
    threshold = fit_set_threshold(truth, said, dives, risk=0.1)
    assert threshold == pytest.approx(0.2)
    found = score_sets(truth, said, dives, threshold=threshold)
    assert (found.coverage, found.coverage_by_dive, found.mean_size) == (0.9, 0.9, 0.9)
    with pytest.raises(PredictionsError, match="got none"):
        fit_set_threshold(np.zeros((1, 1), dtype=np.bool_), said[:1], ["a"])


def test_sets__a_large_dive_speaks_once() -> None:
    truth = np.ones((100, 1), dtype=np.bool_)
    said = np.array([0.1] * 91 + [0.5] * 9)[:, np.newaxis]
    dives = ["large"] * 91 + [str(row) for row in range(9)]
    # The large dive is one of ten: it may be missed whole.
    assert fit_set_threshold(truth, said, dives, risk=0.1) == 0.5
    assert fit_set_threshold(truth, said, dives, risk=0.05) == 0.1


def test_sets__equal_the_best_of_all_thresholds() -> None:
    view = _view(too_sure=1.0, n=120)
    said = sigmoid(view.logits)
    found = fit_set_threshold(view.truth, said, view.dives, risk=0.15)
    slow = -1.0
    for threshold in said.ravel().tolist():
        misses: dict[str, list[bool]] = {}
        for held, row, dive in zip(view.truth, said, view.dives, strict=True):
            if held.any():
                misses.setdefault(dive, []).append(bool((row[held] < threshold).any()))
        if np.mean([np.mean(values) for values in misses.values()]) <= 0.15:
            slow = max(slow, threshold)
    assert found == slow
