"""`finding-nemo declare BUNDLE`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = ("finding-nemo declare runs/nemo",)


def declare(
    bundle: Annotated[Path, typer.Argument(help="A bundle, or the run folder that holds it.")],
) -> None:
    """Say which pretrained models and data a bundle rests on, in a competition's words."""
    from finding_nemo.cli.console.words import print_result
    from finding_nemo.models.bundle.bundle import load_bundle
    from finding_nemo.models.bundle.declaration import declaration

    print_result(declaration(load_bundle(bundle).manifest))
