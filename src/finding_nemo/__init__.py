"""Finding Nemo: which animals are in each deep-sea frame, and how far to trust it.

The names below are the public door; everything else may change. They load on first use, so
that importing the package costs nothing and brings no torch.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # as a checker of types sees it; typing itself takes milliseconds to load
if TYPE_CHECKING:
    from finding_nemo.core.errors import FindingNemoError as FindingNemoError
    from finding_nemo.data.dataset import read_dataset as read_dataset
    from finding_nemo.data.splits.splitters.by_dive import split_by_dive as split_by_dive
    from finding_nemo.evaluation.evaluate_predictions import evaluate as evaluate
    from finding_nemo.metrics.ranking import map_at_k as map_at_k
    from finding_nemo.models.bundle.bundle import load_bundle as load_bundle
    from finding_nemo.prediction.predictor import Predictor as Predictor
    from finding_nemo.reporting.terminal.console_reporter import ConsoleReporter as ConsoleReporter
    from finding_nemo.results.reading.readers import read_predictions as read_predictions
    from finding_nemo.training.train_recipe import train as train

_HOMES = {
    "ConsoleReporter": "finding_nemo.reporting.terminal.console_reporter",
    "FindingNemoError": "finding_nemo.core.errors",
    "Predictor": "finding_nemo.prediction.predictor",
    "evaluate": "finding_nemo.evaluation.evaluate_predictions",
    "load_bundle": "finding_nemo.models.bundle.bundle",
    "map_at_k": "finding_nemo.metrics.ranking",
    "read_dataset": "finding_nemo.data.dataset",
    "read_predictions": "finding_nemo.results.reading.readers",
    "split_by_dive": "finding_nemo.data.splits.splitters.by_dive",
    "train": "finding_nemo.training.train_recipe",
}

__all__ = [
    "ConsoleReporter",
    "FindingNemoError",
    "Predictor",
    "evaluate",
    "load_bundle",
    "map_at_k",
    "read_dataset",
    "read_predictions",
    "split_by_dive",
    "train",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        from finding_nemo.core.provenance import package_version

        return package_version()
    if name not in _HOMES:
        raise AttributeError(f"module 'finding_nemo' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
