"""`finding-nemo look BUNDLE... IMAGE...`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finding_nemo.cli.options.dataset_options import DivePattern, ImagesFolder
from finding_nemo.cli.options.output_options import check_files, check_suffix
from finding_nemo.cli.options.predict_options import Every

if TYPE_CHECKING:
    from finding_nemo.core.records import Dataset, Prediction
    from finding_nemo.prediction.predictor import Predictor
    from finding_nemo.prediction.sources.image_sources import ImageInput
    from finding_nemo.reporting.figures.look_picture import Framed
    from finding_nemo.reporting.guess_rows import ImageGuesses

EXAMPLES = (
    "finding-nemo look runs/nemo frame.png",
    "finding-nemo look runs/probe runs/nemo frame.png --data fathomnet/ --out frame.svg",
)
# A picture of more is taller than a screen can show.
_MOST_IN_PICTURE = 12


def look(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="BUNDLE... IMAGE...",
            help="One or more bundles, or the run folders that hold them; and images: files, "
            "folders, URLs, tars or videos.",
        ),
    ],
    top: Annotated[int, typer.Option(min=1, help="How many guesses.")] = 5,
    data: Annotated[
        Path | None,
        typer.Option(
            help="A data set with the images: its truth is shown in green. They are found by where "
            "they are, else by their names."
        ),
    ] = None,
    images: ImagesFolder = None,
    dive_pattern: DivePattern = None,
    every: Every = None,
    out: Annotated[
        Path | None, typer.Option(help="A picture to write as well: PNG or SVG.")
    ] = None,
    maps: Annotated[
        bool, typer.Option("--maps/--no-maps", help="In the picture, where the first guess is.")
    ] = True,
    overwrite: Annotated[bool, typer.Option(help="Replace an existing picture.")] = False,
) -> None:
    """Show what bundles say of a few images, side by side."""
    check_suffix(out, "--out", ".png", ".svg")
    bundles, named = split_names(names)
    from finding_nemo.cli.console.notices import reporter
    from finding_nemo.data.dataset import read_dataset
    from finding_nemo.prediction.predictor import Predictor
    from finding_nemo.prediction.sources.image_sources import ImageSelection

    check_files({"--out": out}, overwrite=overwrite, inputs=(*bundles, data, *map(Path, named)))
    dataset = None
    if data is not None:
        dataset = read_dataset(data, images=images, dive_pattern=dive_pattern)
    predictors = [Predictor(bundle, with_maps=maps and out is not None) for bundle in bundles]
    selection = ImageSelection(tuple(named), every_s=seconds_between(every))
    found = list(selection.stream(reporter()))
    if out is not None and len(found) > _MOST_IN_PICTURE:
        raise typer.BadParameter(
            f"--out: a picture shows at most {_MOST_IN_PICTURE} images, and these are {len(found)}."
        )
    shown = list(_look(predictors, found, dataset, top=top, keeps_pixels=out is not None))
    if not shown:
        reporter().message("No image could be used.")
        raise typer.Exit(1)
    framed = [row for row in shown if row is not None]
    if out is not None and framed:
        _draw(framed, out, with_heat=maps)


def split_names(names: Sequence[str]) -> tuple[list[Path], list[str]]:
    """Return the bundles and the images of a command line: what holds a `bundle.json` is a bundle.

    Raises:
        typer.BadParameter: If either is missing.
    """
    bundles = [Path(name) for name in names if _is_bundle(name)]
    images = [name for name in names if not _is_bundle(name)]
    if not bundles:
        raise typer.BadParameter(
            f"None of {', '.join(map(repr, names[:3]))} is a bundle: a folder that holds "
            "bundle.json, or the run folder around it. Name one before the images."
        )
    if not images:
        raise typer.BadParameter("Name at least one image behind the bundles.")
    return bundles, images


def _is_bundle(name: str) -> bool:
    folder = Path(name)
    return any((folder / inside).is_file() for inside in ("bundle.json", "bundle/bundle.json"))


def bundle_names(paths: Sequence[Path]) -> list[str]:
    """Return a short name of each bundle: its run's, with the folder above where two are alike."""
    runs = [path.resolve() for path in paths]
    runs = [run.parent if run.name == "bundle" and run.parent.name else run for run in runs]
    short = [run.name or str(run) for run in runs]
    return [
        name if short.count(name) == 1 else f"{run.parent.name}/{name}"
        for name, run in zip(short, runs, strict=True)
    ]


def seconds_between(every: str | None) -> float | None:
    """Return what `--every` says of the time between frames of a video, in seconds.

    Raises:
        typer.BadParameter: If it says none.
    """
    from finding_nemo.core.errors import SettingsError
    from finding_nemo.prediction.sources.image_sources import parse_interval

    try:
        return None if every is None else parse_interval(every)
    except SettingsError as error:
        raise typer.BadParameter(str(error)) from None


def _look(
    predictors: Sequence[Predictor],
    images: Sequence[ImageInput],
    dataset: Dataset | None,
    *,
    top: int,
    keeps_pixels: bool,
) -> Iterator[Framed | None]:
    """Print each image, and yield it where it could be read: with its pixels, or `None`."""
    from finding_nemo.reporting.terminal.look_text import print_failure, print_look

    truths = _Truths(dataset)
    names = bundle_names([predictor.bundle.path for predictor in predictors])
    ranks = [_ranks(predictor) for predictor in predictors]
    streams = [predictor.predict_inputs(images) for predictor in predictors]
    for image, *predictions in zip(images, *streams, strict=True):
        failure = next((each.failure for each in predictions if each.failure is not None), None)
        if failure is not None:
            print_failure(image.location, failure)
            continue
        guesses = _guesses(
            image, predictions, predictors, names, ranks=ranks, truth=truths.of(image), top=top
        )
        print_look(guesses)
        yield _framed(image, guesses) if keeps_pixels else None


def _guesses(
    image: ImageInput,
    predictions: Sequence[Prediction],
    predictors: Sequence[Predictor],
    names: Sequence[str],
    *,
    ranks: Sequence[Mapping[str, str]],
    truth: tuple[str, ...] | None,
    top: int,
) -> ImageGuesses:
    from finding_nemo.reporting.guess_rows import ImageGuesses, guesses_of

    blocks = tuple(
        guesses_of(
            prediction,
            predictor.bundle.manifest.categories,
            bundle=name,
            truth=truth,
            n_guesses=top,
            ranks=of_bundle,
        )
        for prediction, predictor, name, of_bundle in zip(
            predictions, predictors, names, ranks, strict=True
        )
    )
    sizes = ((each.width, each.height) for each in predictions)
    width, height = next((size for size in sizes if all(size)), (0, 0))
    return ImageGuesses(
        path=image.location, size=(width or 0, height or 0), truth=truth, bundles=blocks
    )


def _ranks(predictor: Predictor) -> Mapping[str, str]:
    """Return the rank of each category that is known, by the table beside the bundle first."""
    from finding_nemo.marine.name_words import rank_in_words
    from finding_nemo.marine.names_file import known_names, names_path_beside

    beside = names_path_beside(predictor.bundle.path)
    known = known_names(predictor.bundle.categories.names, path=beside)
    return {name: rank_in_words(record) for name, record in known.items()}


class _Truths:
    """What a data set says of images, found by where their files are, else by their names."""

    def __init__(self, dataset: Dataset | None) -> None:
        from finding_nemo.data.find_record import RecordFinder

        self._dataset = dataset
        self._finder = RecordFinder(dataset.records if dataset is not None else ())

    def of(self, image: ImageInput) -> tuple[str, ...] | None:
        """Return the names of what an image holds; `None` where the data set says nothing."""
        from finding_nemo.cli.console.notices import reporter

        found = self._finder.find(image.path, image.image_id)
        if self._dataset is None or not found.records:
            return None
        first = found.records[0]
        if len(found.records) > 1:
            reporter().message(
                f"{image.location}: no truth is shown, because {len(found.records)} frames of the "
                f"data set have this name, such as {first.path}. Name one of these files instead."
            )
            return None
        if found.is_by_name:
            reporter().message(
                f"{image.location}: the truth shown is that of {first.path}, found by its name."
            )
        categories = self._dataset.categories
        if first.category_ids is None:
            return None
        return tuple(categories.names[categories.column_of(k)] for k in first.category_ids)


def _framed(image: ImageInput, guesses: ImageGuesses) -> Framed | None:
    from finding_nemo.cli.console.notices import reporter
    from finding_nemo.prediction.sources.display_image import display_pixels
    from finding_nemo.reporting.figures.look_picture import Framed

    pixels = display_pixels(image, guesses.size) if all(guesses.size) else None
    if pixels is None:
        reporter().message(f"{guesses.path} is not in the picture: no bundle opens it.")
        return None
    return Framed(guesses, pixels)


def _draw(rows: Sequence[Framed], out: Path, *, with_heat: bool) -> None:
    from finding_nemo.cli.console.words import print_result
    from finding_nemo.reporting.figures.look_picture import draw_look

    draw_look(rows, out, with_heat=with_heat)
    print_result(f"picture {out}")
