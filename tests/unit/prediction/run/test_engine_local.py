"""What an engine is given ready-made, and what it starts ahead of the images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from finding_nemo.models.bundle.bundle import load_bundle
from finding_nemo.prediction.run import engine_local
from finding_nemo.prediction.run.chunked_run import ChunkRows, ChunkWork
from finding_nemo.prediction.run.engine_local import predict_here, predictor_for
from finding_nemo.prediction.run.predict_to_file import predict_to_file
from finding_nemo.prediction.sources.image_sources import ImageInput, ImageSelection


def test_rows__are_the_same_with_the_postprocessor_given_and_without(
    tiny_folder: Path, small_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, images = load_bundle(small_bundle), ImageSelection((str(tiny_folder),))
    given: list[ChunkWork] = []
    ahead: list[tuple[ImageInput, int]] = []

    def anew(work: ChunkWork, chunks: Sequence[int]) -> Iterator[ChunkRows]:
        given.append(work)
        yield from predict_here(replace(work, postprocessor=None), chunks)

    monkeypatch.setattr(
        engine_local, "start_decoding_ahead", lambda first, n: ahead.append((first, n))
    )
    one, other = tmp_path / "one.parquet", tmp_path / "other.parquet"
    n_images = predict_to_file(bundle, images, one).n_images
    predict_to_file(bundle, images, other, engine=anew)
    assert pq.read_table(one).equals(pq.read_table(other))
    work = given[0]
    assert work.postprocessor is not None
    assert predictor_for(work).postprocessor is work.postprocessor
    assert ahead == [(work.plan.chunk(0)[0], n_images)] * 2
    assert list(predict_here(work, [])) == []
    assert len(ahead) == 2
