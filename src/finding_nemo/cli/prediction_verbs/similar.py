"""`finding-nemo similar BUNDLE INDEX IMAGE`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from finding_nemo.cli.console.words import print_result

EXAMPLES = ("finding-nemo similar runs/nemo archive.parquet frame.png --count 20",)


def similar(
    bundle: Annotated[Path, typer.Argument(help="The bundle that predicted the index.")],
    index: Annotated[Path, typer.Argument(help="Predictions made with --embeddings (Parquet).")],
    image: Annotated[str, typer.Argument(help="The image to find look-alikes of.")],
    count: Annotated[int, typer.Option("--count", "-k", min=1, help="How many.")] = 10,
) -> None:
    """Find the images whose embeddings are most like an image's, best first."""
    from finding_nemo.core.errors import ImageError
    from finding_nemo.models.bundle.bundle import bundle_hash
    from finding_nemo.prediction.predictor import Predictor
    from finding_nemo.reporting.terminal.result_document import give_value
    from finding_nemo.results.reading.nearest_neighbors import nearest

    predictor = Predictor(bundle, with_embedding=True)
    for prediction in predictor.predict([image]):
        if prediction.embedding is None:
            raise ImageError(f"{prediction.path} {prediction.failure}.")
        named = bundle_hash(predictor.bundle.path)
        found = nearest(index, prediction.embedding, k=count, bundle_hash=named)
        give_value("neighbours", found)
        for neighbour in found:
            print_result(f"{neighbour.similarity:.4f}  {neighbour.image_id}  {neighbour.path}")
