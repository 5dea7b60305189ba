"""A bundle's own numbers of the adaptation: fitted on few dives, and so kept near the defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from finding_nemo.adaptation.adaptation_settings import (
    DEFAULTS,
    AdaptationSettings,
    CalibrationSettings,
    KernelSettings,
    QualitySettings,
)
from finding_nemo.adaptation.simulate_reviews import STEPS, TrueDive, is_counted
from finding_nemo.adaptation.tune_adaptation import tune_on
from finding_nemo.core.choice import Choice
from finding_nemo.core.reporter import Reporter
from finding_nemo.core.text.plurals import in_number
from finding_nemo.results.schema import ADAPTATION_SETTINGS

# What they are called where a person is told which are used.
NUMBERS = "adaptation with"
# Fewer dives say more of themselves than of the next one (docs/experiments/0040-adaptation.md).
LEAST_DIVES = 5
# The defaults rest on so many, and weigh as much. With a weight of 20 dives the numbers of eight
# cost 0.004 of MAP@20 at five frames (docs/experiments/0042-own-numbers.md).
_DIVES_OF_DEFAULTS = 68.0
_DRAWS = 12
_SHIPPED = "the usual numbers"
# What no number of a kernel leaves, as factors of its default: a file may come from anywhere.
_MOST_FACTOR = 100.0
# Reaches in seconds are the largest; the others are slopes, offsets and errors of about 1.
_MOST = 1e6


def fit_own_settings(
    dives: Sequence[TrueDive], *, reporter: Reporter | None = None
) -> Choice[AdaptationSettings]:
    """Choose numbers by simulated reviews of `dives`, kept near the defaults; or the defaults.

    Args:
        dives: Of which training saw nothing; those of fewer than 20 frames are passed over.
        reporter: Shown the progress.
    """
    counted = [dive for dive in dives if is_counted(dive, STEPS[0])]
    if len(counted) < LEAST_DIVES:
        return too_few(len(counted))
    tuned = tune_on(counted, draws=_DRAWS, reporter=reporter)
    weight = len(counted) / (len(counted) + _DIVES_OF_DEFAULTS)
    return Choice(
        between(DEFAULTS, tuned, weight),
        f"reviews were simulated on {len(counted)} validation dives, which weigh "
        f"{100 * weight:.0f} % against the usual ones",
        shown="the bundle's own",
    )


def too_few(n_dives: int) -> Choice[AdaptationSettings]:
    """Choose the defaults, because `n_dives` dives of at least 20 frames are not enough."""
    return Choice(
        DEFAULTS,
        f"the validation part has {in_number(n_dives, 'dive')} of at least 20 frames; "
        f"{LEAST_DIVES} are needed to choose others",
        shown=_SHIPPED,
    )


def between(
    first: AdaptationSettings, second: AdaptationSettings, weight: float
) -> AdaptationSettings:
    """Return numbers between two: variances and reaches by factors, the others along a line.

    Args:
        first: At weight 0.
        second: At weight 1.
        weight: In [0, 1].
    """
    kernel = {
        name: float(np.exp((1 - weight) * np.log(value) + weight * np.log(other)))
        for (name, value), other in zip(
            asdict(first.kernel).items(), asdict(second.kernel).values(), strict=True
        )
    }
    lines: dict[str, dict[str, Any]] = {}
    for part in ("calibration", "quality"):
        known, other = asdict(getattr(first, part)), asdict(getattr(second, part))
        lines[part] = {name: _line(known[name], other[name], weight) for name in known}
    return AdaptationSettings(
        kernel=replace(first.kernel, **kernel),
        calibration=replace(first.calibration, **lines["calibration"]),
        quality=replace(first.quality, **lines["quality"]),
    )


def _line(first: Any, second: Any, weight: float) -> Any:  # noqa: ANN401 - a number or several
    if isinstance(first, tuple):
        return tuple(_line(a, b, weight) for a, b in zip(first, second, strict=True))
    return float((1 - weight) * first + weight * second)


def settings_to_json(settings: AdaptationSettings) -> dict[str, Any]:
    """Return the numbers as a bundle and a predictions file keep them."""
    return asdict(settings)


def settings_of_metadata(metadata: Mapping[str, Any]) -> Choice[AdaptationSettings]:
    """Choose the numbers that a predictions file brings; the defaults where it has none.

    Args:
        metadata: All that the file says of itself; its key "adaptation_settings".
    """
    stored = metadata.get(ADAPTATION_SETTINGS)
    if stored is None:
        return Choice(DEFAULTS, "the file brings none of its own", shown=_SHIPPED)
    try:
        found = _settings_from(stored)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        reason = f"those of the file cannot be used: {error}"
        return Choice(DEFAULTS, reason, shown=_SHIPPED)
    return Choice(found, "the file brings them", shown="the bundle's own")


def _settings_from(stored: Any) -> AdaptationSettings:  # noqa: ANN401 - JSON
    kernel = {name: _number(stored["kernel"][name]) for name in asdict(DEFAULTS.kernel)}
    for name, usual in asdict(DEFAULTS.kernel).items():
        if not usual / _MOST_FACTOR <= kernel[name] <= usual * _MOST_FACTOR:
            raise ValueError(f"{name} is {kernel[name]:g}, far from any dive's")
    calibration = {n: _number(stored["calibration"][n]) for n in asdict(DEFAULTS.calibration)}
    known = dict(stored["quality"])
    weights = tuple(_number(value) for value in known.pop("weights"))
    if len(weights) != len(DEFAULTS.quality.weights):
        raise ValueError(f"{len(weights)} weights of quality")
    others = {name: _number(known[name]) for name in ("low", "high", "few", "decay")}
    return AdaptationSettings(
        kernel=KernelSettings(**kernel),
        calibration=CalibrationSettings(**calibration),
        quality=QualitySettings(weights=weights, **others),  # type: ignore[arg-type] # counted
    )


def _number(value: Any) -> float:  # noqa: ANN401 - JSON
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{str(value)[:40]!r} is no number")
    if not abs(value) <= _MOST:
        raise ValueError(f"{value:g} is out of range")
    return float(value)
