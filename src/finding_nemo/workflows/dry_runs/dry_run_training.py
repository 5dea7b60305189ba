"""What `train` and `compare` would do and cost, from what trainings took before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast

from finding_nemo.core.errors import FindingNemoError, OutputError, StoppedError
from finding_nemo.core.processes.cores import usable_cores
from finding_nemo.core.records import Dataset, ImageRecord
from finding_nemo.core.reporter import Reporter, time_in_words
from finding_nemo.core.text.estimates import DryRun, Estimate, size_in_words
from finding_nemo.core.text.plurals import in_number
from finding_nemo.training.auto.box_supervision import EVERY_LAYER, choose_layers
from finding_nemo.training.auto.epoch_budget import (
    EVERY_LAYER_BUDGET,
    FROZEN_BUDGET,
    SOME_LAYERS_BUDGET,
    EpochBudget,
    choose_epochs,
)
from finding_nemo.training.auto.fallback_without_boxes import choose_fallback
from finding_nemo.training.auto.hardware import choose_device
from finding_nemo.training.recipes.known_costs import KNOWN_COSTS
from finding_nemo.training.recipes.registry import find_recipe, trainer_settings
from finding_nemo.training.recipes.settings import NemoSettings
from finding_nemo.training.tasks.backbone_spec import frame_size_for
from finding_nemo.training.train_recipe import AskedTraining, check_training
from finding_nemo.workflows.comparison_request import AskedFold, ComparisonRequest, is_compared

# Predicting an image costs about half of what reading and predicting it in a training does.
_PREDICTING = 0.5
# A page, a table of predictions and a copy of the split beside each bundle.
_PAGES = 3e6


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingCost:
    """What one training would take.

    Attributes:
        recipe: Its name, as it will be built.
        n_train: Images to learn from.
        n_val: Images that choose the epoch.
        n_test: Images of the part test.
        epochs: Passes.
        size_px: Width and height of a frame as the network takes it.
        device: What it runs on.
        core_s: Seconds of one core; `None` where nobody has measured, 0 for a baseline.
        predict_s: The same for predicting the test part.
        memory: Bytes; `None` where nobody has measured.
        bundle: Bytes, the same.
        cache: Bytes that are kept of the images for later trainings, the same.
        source: Where it was measured.
    """

    recipe: str
    n_train: int
    n_val: int
    n_test: int
    epochs: int = 0
    size_px: tuple[int, int] | None = None
    device: str = "cpu"
    core_s: float | None = 0.0
    predict_s: float = 0.0
    memory: float | None = 0.0
    bundle: float | None = 0.0
    cache: float = 0.0
    source: str = ""

    @property
    def in_words(self) -> str:
        """Return what it is, for people."""
        return _in_words([self])


def _in_words(costs: Sequence[TrainingCost]) -> str:
    """Return what trainings of one recipe are, in words: one, or the folds of a comparison."""
    first = costs[0]
    about = "" if len(costs) == 1 else "about "
    times = "" if len(costs) == 1 else f", {len(costs)} times"
    n_train = round(sum(cost.n_train for cost in costs) / len(costs))
    n_val = round(sum(cost.n_val for cost in costs) / len(costs))
    if first.size_px is None:
        return f"{first.recipe}{times}: {about}{n_train:,} training images, none of them opened"
    width, height = first.size_px
    return (
        f"{first.recipe}{times}: {in_number(first.epochs, 'epoch')} of {about}{n_train:,} training "
        f"images, judged on {about}{n_val:,} validation images, at {width} x {height} px on "
        f"{first.device}"
    )


def training_cost(asked: AskedTraining) -> TrainingCost:
    """Return what a training would take.

    Raises:
        SettingsError: If the device that was set is not there.
    """
    partition = asked.partition
    cost = TrainingCost(
        recipe=asked.context.recipe.name,
        n_train=len(partition.train),
        n_val=len(partition.val),
        n_test=len(partition.split.ids_in("test")) if "test" in partition.split.parts else 0,
    )
    recipe = asked.context.recipe
    if not recipe.has_network:
        return cost
    settings = trainer_settings(asked.settings)
    device = choose_device(settings.device).value
    if recipe.build == _NEMO:
        fallback = choose_fallback(cast(NemoSettings, settings), recipe, partition.train)
        if fallback is not None:
            recipe = find_recipe(fallback.recipe)
            settings = trainer_settings(fallback.settings)
    shape = _SHAPES.get(recipe.build, _as_set)(settings.model_dump(), partition.train)
    unknown = replace(
        cost,
        recipe=recipe.name,
        epochs=shape.epochs,
        size_px=shape.size_px,
        device=device,
        core_s=None,
        memory=None,
        bundle=None,
    )
    return _with_known(unknown, asked)


class _Shape(NamedTuple):
    """How often images are shown, and how large."""

    epochs: int
    size_px: tuple[int, int]


Values = Mapping[str, Any]


def _as_set(values: Values, train: Sequence[ImageRecord]) -> _Shape:
    del train
    return _Shape(values["epochs"], (values["width_px"], values["height_px"]))


def _of_patches(values: Values, train: Sequence[ImageRecord]) -> _Shape:
    return _chosen(values, train, FROZEN_BUDGET)


def _of_nemo(values: Values, train: Sequence[ImageRecord]) -> _Shape:
    every = choose_layers(values["trained_layers"], train).value >= EVERY_LAYER
    return _chosen(values, train, EVERY_LAYER_BUDGET if every else SOME_LAYERS_BUDGET)


def _chosen(values: Values, train: Sequence[ImageRecord], budget: EpochBudget) -> _Shape:
    """Return what a training chooses by itself where nothing is set."""
    return _Shape(
        choose_epochs(values["epochs"], len(train), budget).value,
        frame_size_for(values["backbone"], values["width_px"], values["height_px"], train).value,
    )


_NEMO = "patches:build_nemo_task"
# By what builds a recipe's task.
_SHAPES: Mapping[str, Callable[[Values, Sequence[ImageRecord]], _Shape]] = {
    "frozen_patches:build_frozen_patch_task": _of_patches,
    _NEMO: _of_nemo,
}


def _with_known(cost: TrainingCost, asked: AskedTraining) -> TrainingCost:
    known = KNOWN_COSTS.get(cost.recipe)
    if known is None or cost.size_px is None:
        return cost
    pixels = cost.size_px[0] * cost.size_px[1]
    n_images = cost.n_train + cost.n_val
    usual = asked.context.recipe.settings.model_dump().get("backbone")
    other = asked.settings.model_dump().get("backbone") != usual
    note = ", with another backbone" if other else ""
    return replace(
        cost,
        core_s=known.core_seconds(
            n_images=n_images, n_views=cost.n_train * cost.epochs, pixels=pixels
        ),
        predict_s=cost.n_test * _PREDICTING * known.image_s * pixels / known.at_px,
        memory=known.memory * max(1.0, pixels / known.at_px),
        bundle=known.bundle,
        cache=known.cache_bytes(n_images=n_images, pixels=pixels),
        source=known.source + note,
    )


def dry_run_training(asked: AskedTraining, *, resume: bool) -> DryRun:
    """Return what a training that `check_training` passed would do."""
    cost = training_cost(asked)
    work = [f"train {cost.in_words} into {asked.run.path}"]
    if resume and asked.run.has_ended:
        return DryRun((f"give the bundle in {asked.run.path} as it is: it is trained",), ())
    if resume and (position := asked.run.stopped_at):
        work.append(f"go on from {position}; the time below is that of all of it")
    return DryRun(tuple(work), tuple(estimates([cost])))


def estimates(
    costs: Sequence[TrainingCost], *, with_predictions: bool = False, times: int = 1
) -> list[Estimate]:
    """Return time, disk and memory of trainings one after another.

    Args:
        costs: Of each.
        with_predictions: Whether each predicts its test part and leaves pages.
        times: How often all of them are done; what they leave is counted once.
    """
    unknown = tuple(dict.fromkeys(cost.recipe for cost in costs if cost.core_s is None))
    known = [cost for cost in costs if cost.core_s is not None]
    seconds = sum(
        (cost.core_s or 0) + (cost.predict_s if with_predictions else 0) for cost in known
    )
    about = "at least" if unknown else "about"
    cores = usable_cores()
    time = f"{about} {time_in_words(times * seconds / cores)} on {in_number(cores, 'core')}"
    pages = _PAGES * len(costs) * with_predictions
    written = sum(cost.bundle or 0 for cost in known) + pages
    # Trainings of one recipe share what is kept of the images.
    cache = sum({(cost.recipe, cost.size_px): cost.cache for cost in known}.values())
    disk = (
        f"{about} {size_in_words(written)} in the output, and {size_in_words(cache)} in the cache "
        "less what is there already"
    )
    memory = max((cost.memory or 0 for cost in known), default=0)
    if unknown and not known:
        time = disk = "not known"
    return [
        Estimate("time", time, _time_ground(costs, unknown)),
        Estimate("disk", disk, _disk_ground(unknown)),
        Estimate(
            "memory",
            f"{about} {size_in_words(memory)}" if memory else "not known" if unknown else "little",
            "the most that was measured, and more where frames are larger"
            if memory
            else f"nobody has measured {', '.join(unknown)}"
            if unknown
            else "no image is opened",
        ),
    ]


def _time_ground(costs: Sequence[TrainingCost], unknown: Sequence[str]) -> str:
    sources = dict.fromkeys(cost.source for cost in costs if cost.source)
    grounds = [f"scaled from {'; '.join(sources)}"] if sources else []
    if unknown:
        grounds.append(f"nobody has measured {', '.join(unknown)} on a processor; a GPU is advised")
    gpus = sorted({cost.device for cost in costs} - {"cpu"})
    if gpus:
        grounds.append(f"that was on processors, and {', '.join(gpus)} is faster")
    return "; ".join(grounds) or "no image is opened"


def _disk_ground(unknown: Sequence[str]) -> str:
    ground = "bundles as they were measured; pixels or features of the images by their number"
    return f"{ground}; without {', '.join(unknown)}" if unknown else ground


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trainings:
    """Trainings that a job is made of: what each would take, and what is known to fail."""

    costs: tuple[TrainingCost, ...]
    failures: tuple[str, ...]


def dry_run_comparison(
    dataset: Dataset, asked: ComparisonRequest, *, overwrite: bool, resume: bool, reporter: Reporter
) -> DryRun:
    """Return what `compare_recipes` would do, or refuse what it would refuse.

    Args:
        dataset: The data set.
        asked: What is compared.
        overwrite: As the comparison would be told.
        resume: The same.
        reporter: Told what goes on.

    Raises:
        SettingsError: If a recipe is unknown, or no recipe has one of the settings.
        OutputExistsError: If the output holds anything but a comparison of the same.
    """
    goes_on = asked.check(overwrite=overwrite, resume=resume, reporter=reporter)
    trainings = list(asked.trainings())
    left = [each for each in trainings if not (goes_on and is_compared(each.folder))]
    reporter.activity("looking at what each training would take")
    found = _looked_at(dataset, asked, left, goes_on=goes_on)
    done = "" if len(left) == len(trainings) else f"; {len(trainings) - len(left)} others are done"
    work = [f"train, use and judge {in_number(len(left), 'bundle')} in {asked.out}{done}"]
    alike: dict[tuple[str, int, object], list[TrainingCost]] = {}
    for cost in found.costs:
        alike.setdefault((cost.recipe, cost.epochs, cost.size_px), []).append(cost)
    work += [f"train {_in_words(costs)}" for costs in alike.values()]
    work += found.failures
    return DryRun(tuple(work), tuple(estimates(found.costs, with_predictions=True)))


def _looked_at(
    dataset: Dataset, asked: ComparisonRequest, left: Iterable[AskedFold], *, goes_on: bool
) -> _Trainings:
    """Return what trainings would take; one that cannot begin fails alone, as it would."""
    costs: list[TrainingCost] = []
    failures: dict[str, None] = {}
    for training in left:
        try:
            checked = check_training(
                dataset,
                out=training.folder,
                recipe=training.recipe,
                split=training.split,
                fold=training.fold,
                settings=asked.changes[training.recipe],
                seed=asked.seed,
                overwrite=not goes_on,
                resume=goes_on,
            )
            costs.append(training_cost(checked))
        except (OutputError, StoppedError):
            raise
        except FindingNemoError as error:
            failures[f"report that {training.recipe} fails: {error}".rstrip(".")] = None
    return _Trainings(costs=tuple(costs), failures=tuple(failures))
