"""Finding Nemo: which animals are in each deep-sea frame, and how far to trust it.

The names below are the public door; everything else may change. They load on first use, so
that importing the package costs nothing and brings no torch.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # as a checker of types sees it; typing itself takes milliseconds to load
if TYPE_CHECKING:
    from finding_nemo.core import errors as errors
    from finding_nemo.core.categories import Category as Category
    from finding_nemo.core.categories import CategoryTable as CategoryTable
    from finding_nemo.core.errors import FindingNemoError as FindingNemoError
    from finding_nemo.core.records import Dataset as Dataset
    from finding_nemo.core.records import ImageRecord as ImageRecord
    from finding_nemo.core.records import Prediction as Prediction
    from finding_nemo.core.records import Split as Split
    from finding_nemo.data.dataset import read_dataset as read_dataset
    from finding_nemo.data.splits.make_split import make_split as make_split
    from finding_nemo.data.splits.split_csv import read_split as read_split
    from finding_nemo.data.splits.split_csv import write_split as write_split
    from finding_nemo.data.splits.splitters.by_dive import split_by_dive as split_by_dive
    from finding_nemo.evaluation.evaluate_predictions import evaluate as evaluate
    from finding_nemo.evaluation.evaluation_results import Evaluation as Evaluation
    from finding_nemo.exporting.convert_predictions import convert as convert
    from finding_nemo.metrics.ranking import map_at_k as map_at_k
    from finding_nemo.models.bundle.bundle import Bundle as Bundle
    from finding_nemo.models.bundle.bundle import load_bundle as load_bundle
    from finding_nemo.prediction.predictor import Predictor as Predictor
    from finding_nemo.prediction.stream import PredictionStream as PredictionStream
    from finding_nemo.reporting.figures.plots import plot_categories as plot_categories
    from finding_nemo.reporting.figures.plots import plot_comparison as plot_comparison
    from finding_nemo.reporting.figures.plots import plot_curves as plot_curves
    from finding_nemo.reporting.figures.plots import plot_reliability as plot_reliability
    from finding_nemo.reporting.figures.prediction_plot import plot_predictions as plot_predictions
    from finding_nemo.reporting.terminal.console_reporter import ConsoleReporter as ConsoleReporter
    from finding_nemo.results.reading.readers import read_predictions as read_predictions
    from finding_nemo.results.schema import PredictionTable as PredictionTable
    from finding_nemo.synthetic.write_dataset import draw_dataset as draw_dataset
    from finding_nemo.training.loop.callbacks import Callback as Callback
    from finding_nemo.training.loop.callbacks import TrainingStart as TrainingStart
    from finding_nemo.training.loop.epoch_log import EpochRow as EpochRow
    from finding_nemo.training.loop.trained_run import TrainedRun as TrainedRun
    from finding_nemo.training.recipes.own_parts import (
        register_augmentation as register_augmentation,
    )
    from finding_nemo.training.recipes.own_parts import register_backbone as register_backbone
    from finding_nemo.training.recipes.own_parts import register_loss as register_loss
    from finding_nemo.training.recipes.own_parts import register_recipe as register_recipe
    from finding_nemo.training.recipes.own_parts import register_sampler as register_sampler
    from finding_nemo.training.recipes.registry import STUDY_RECIPES as STUDY_RECIPES
    from finding_nemo.training.train_recipe import train as train
    from finding_nemo.workflows.compare_recipes import Comparison as Comparison
    from finding_nemo.workflows.compare_recipes import compare as compare
    from finding_nemo.workflows.reviews.name_dives import adapt as adapt
    from finding_nemo.workflows.reviews.name_dives import suggest as suggest

_HOMES = {
    "STUDY_RECIPES": "training.recipes.registry",
    "Bundle": "models.bundle.bundle",
    "Callback": "training.loop.callbacks",
    "Category": "core.categories",
    "CategoryTable": "core.categories",
    "Comparison": "workflows.compare_recipes",
    "ConsoleReporter": "reporting.terminal.console_reporter",
    "Dataset": "core.records",
    "EpochRow": "training.loop.epoch_log",
    "Evaluation": "evaluation.evaluation_results",
    "FindingNemoError": "core.errors",
    "ImageRecord": "core.records",
    "Prediction": "core.records",
    "PredictionStream": "prediction.stream",
    "PredictionTable": "results.schema",
    "Predictor": "prediction.predictor",
    "Split": "core.records",
    "TrainedRun": "training.loop.trained_run",
    "TrainingStart": "training.loop.callbacks",
    "adapt": "workflows.reviews.name_dives",
    "compare": "workflows.compare_recipes",
    "convert": "exporting.convert_predictions",
    "draw_dataset": "synthetic.write_dataset",
    "evaluate": "evaluation.evaluate_predictions",
    "load_bundle": "models.bundle.bundle",
    "make_split": "data.splits.make_split",
    "map_at_k": "metrics.ranking",
    "plot_categories": "reporting.figures.plots",
    "plot_comparison": "reporting.figures.plots",
    "plot_curves": "reporting.figures.plots",
    "plot_predictions": "reporting.figures.prediction_plot",
    "plot_reliability": "reporting.figures.plots",
    "read_dataset": "data.dataset",
    "read_predictions": "results.reading.readers",
    "read_split": "data.splits.split_csv",
    "register_augmentation": "training.recipes.own_parts",
    "register_backbone": "training.recipes.own_parts",
    "register_loss": "training.recipes.own_parts",
    "register_recipe": "training.recipes.own_parts",
    "register_sampler": "training.recipes.own_parts",
    "split_by_dive": "data.splits.splitters.by_dive",
    "suggest": "workflows.reviews.name_dives",
    "train": "training.train_recipe",
    "write_split": "data.splits.split_csv",
}
# What training needs and the core goes without.
_OF_TRAINING = ("torch", "torchvision", "timm", "onnx", "onnxscript")

__all__ = [
    "STUDY_RECIPES",
    "Bundle",
    "Callback",
    "Category",
    "CategoryTable",
    "Comparison",
    "ConsoleReporter",
    "Dataset",
    "EpochRow",
    "Evaluation",
    "FindingNemoError",
    "ImageRecord",
    "Prediction",
    "PredictionStream",
    "PredictionTable",
    "Predictor",
    "Split",
    "TrainedRun",
    "TrainingStart",
    "adapt",
    "compare",
    "convert",
    "draw_dataset",
    "errors",
    "evaluate",
    "load_bundle",
    "make_split",
    "map_at_k",
    "plot_categories",
    "plot_comparison",
    "plot_curves",
    "plot_predictions",
    "plot_reliability",
    "read_dataset",
    "read_predictions",
    "read_split",
    "register_augmentation",
    "register_backbone",
    "register_loss",
    "register_recipe",
    "register_sampler",
    "split_by_dive",
    "suggest",
    "train",
    "write_split",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        from finding_nemo.core.provenance import package_version

        return package_version()
    if name == "errors":
        return import_module("finding_nemo.core.errors")
    if name not in _HOMES:
        raise AttributeError(f"module 'finding_nemo' has no attribute {name!r}")
    try:
        return getattr(import_module(f"finding_nemo.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _OF_TRAINING:
            raise
        from finding_nemo.core.errors import MissingExtraError
        from finding_nemo.core.extras import install_hint

        raise MissingExtraError(
            f"finding_nemo.{name} needs {error.name}, which is not installed. "
            f"{install_hint('train')}"
        ) from None


def __dir__() -> list[str]:
    return sorted(__all__)
