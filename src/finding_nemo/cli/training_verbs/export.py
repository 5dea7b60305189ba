"""`finding-nemo export BUNDLE --to onnx [--int8]`; the targets stand in `RUNTIMES`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from finding_nemo.cli.console.words import print_result
from finding_nemo.cli.options.bundle_dataset import read_dataset_of, split_of
from finding_nemo.cli.options.choices import choice_type
from finding_nemo.cli.options.dataset_options import DivePattern, ImagesFolder
from finding_nemo.core.names.inference_names import EXPORT_TARGETS

if TYPE_CHECKING:
    Target = str
else:
    Target = choice_type("Target", EXPORT_TARGETS)


EXAMPLES = ("finding-nemo export runs/nemo --to openvino --int8",)


def export(
    bundle: Annotated[Path, typer.Argument(help="A bundle, or the run folder that holds it.")],
    to: Annotated[Target, typer.Option(help="The runtime.")],
    int8: Annotated[
        bool, typer.Option("--int8", help="Make an int8 network too: smaller and faster.")
    ] = False,
    dataset: Annotated[
        Path | None, typer.Option(help="What it was trained on, if that has moved.")
    ] = None,
    split: Annotated[
        Path | None, typer.Option(help="The run's split.csv, if it is not beside the bundle.")
    ] = None,
    images: ImagesFolder = None,
    dive_pattern: DivePattern = None,
) -> None:
    """Check faster arithmetic on real frames, and let predictions use what is good enough."""
    from finding_nemo.cli.console.notices import reporter
    from finding_nemo.models.bundle.bundle import load_bundle
    from finding_nemo.workflows.export_bundle import export_bundle

    loaded = load_bundle(bundle)
    data = read_dataset_of(loaded, dataset=dataset, images=images, dive_pattern=dive_pattern)
    records = export_bundle(
        loaded,
        data,
        split_of(loaded, split),
        to=EXPORT_TARGETS[to].export_target,
        int8=int8,
        reporter=reporter(),
    )
    print_result(f"{loaded.path}: {', '.join(record.dtype for record in records)} checked.")
