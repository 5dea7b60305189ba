"""Maps of the best guesses: by hand, against a slow version, and on the way into a file."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from onnx import TensorProto, helper, numpy_helper

from finding_nemo import Predictor
from finding_nemo.core.errors import BundleError
from finding_nemo.core.reporter import Reporter
from finding_nemo.models.bundle.bundle import load_bundle, write_bundle
from finding_nemo.prediction.guess_maps import guess_maps, maps_metadata
from finding_nemo.prediction.run.predict_to_file import predict_to_file
from finding_nemo.prediction.sources.image_sources import collect_images
from finding_nemo.results.reading.readers import read_predictions
from finding_nemo.results.schema import Columns


def test_maps__by_hand() -> None:
    # The means are 2 and 3. Above them lie 1 of the second map's patches by 6, one by 2.
    patches = np.array([[[[0.0, 1.0, 5.0]], [[9.0, 5.0, -5.0]]]])
    maps = guess_maps(patches, np.array([[0.2, 0.7]]))
    assert maps.dtype == np.uint8
    # The second category is the best guess: shares of 1 and 1/3; in fifteenths, each worth 17.
    assert maps.tolist() == [[[[255, 85, 0]], [[0, 0, 255]]]]


def test_maps__of_what_nothing_speaks_for() -> None:
    patches = np.array([[[[-1000.0, -1001.0]], [[-np.inf, -np.inf]], [[0.3, 0.3]]]])
    maps = guess_maps(patches, np.array([[0.2, 0.1, 0.05]]))
    assert maps.tolist() == [[[[255, 0]], [[0, 0]], [[0, 0]]]]
    no_patch = guess_maps(np.array([[[[-np.inf, 1.0, 2.0]]]]), np.array([[0.5]]))
    assert no_patch.tolist() == [[[[0, 255, 255]]]]


def test_maps__that_are_nan_are_refused() -> None:
    patches = np.zeros((1, 3, 2, 2))
    patches[0, 2, 1, 1] = np.nan
    with pytest.raises(BundleError, match="gives NaN for a patch .* --no-maps"):
        guess_maps(patches, np.array([[0.5, 0.4, 0.3]]))


def slow_maps(patches: Any, probabilities: Any) -> list[Any]:
    images = []
    for logits, row in zip(patches.tolist(), probabilities.tolist(), strict=True):
        order = sorted(range(len(row)), key=lambda column: (-row[column], column))[:5]
        maps = []
        for column in order:
            numbers = [logit for line in logits[column] for logit in line]
            mean = math.fsum(numbers) / len(numbers)
            shares = [[max(logit - mean, 0.0) for logit in line] for line in logits[column]]
            most = max(max(max(line) for line in shares), 1e-5)
            maps.append([[255 * share / most for share in line] for line in shares])
        images.append(maps)
    return images


@settings(deadline=None)
@given(
    arrays(np.float32, (2, 7, 2, 3), elements=st.integers(-2000, 2000).map(lambda n: n / 128)),
    arrays(np.float32, (2, 7), elements=st.floats(0, 1, width=32)),
)
def test_maps__equal_the_slow_version(patches: Any, probabilities: Any) -> None:
    wanted = np.array(slow_maps(patches, probabilities))
    found = guess_maps(patches, probabilities)
    assert found.shape == wanted.shape == (2, 5, 2, 3)
    assert np.abs(found - wanted).max() <= 8.5 + 1e-6
    assert set(found.flat) <= set(range(0, 256, 17))
    said = np.ptp(patches, axis=(2, 3)).min() > 1e-4
    assert not said or (found.max(axis=(2, 3)) == 255).all()


def test_metadata__say_how_a_row_is_cut_into_maps() -> None:
    said = maps_metadata(Columns(3, map_grid=(2, 7)))["maps"]
    assert (said["rows"], said["columns"], said["guesses"]) == (2, 7, 3)
    assert "255" in said["scale"]
    assert maps_metadata(Columns(3)) == {}


@pytest.fixture(scope="module")
def frames(many_frames: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("three")
    for number in range(3):
        (folder / f"f{number}.png").write_bytes(
            (many_frames / f"dive0/00{number}.png").read_bytes()
        )
    (folder / "f1.png").write_bytes(b"")
    return folder


def green_network() -> bytes:
    """Return a network whose sixth category is told by how green a patch of 8 x 8 px is."""
    kernel = np.zeros((30, 3, 8, 8), dtype=np.float32)
    kernel[5] = np.array([-1, 2, -1], dtype=np.float32)[:, None, None] / 16
    axes = np.array([2, 3], dtype=np.int64)
    nodes = [
        helper.make_node("Conv", ["images", "kernel"], ["patch_logits"], strides=[8, 8]),
        helper.make_node("ReduceMax", ["patch_logits", "axes"], ["logits"], keepdims=0),
        helper.make_node("ReduceMean", ["images", "axes"], ["features"], keepdims=0),
    ]
    shapes: dict[str, list[str | int | None]] = {
        "logits": ["n", 30],
        "features": ["n", 3],
        "patch_logits": ["n", 30, 4, 4],
    }
    graph = helper.make_graph(
        nodes,
        "green",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 3, 32, 32])],
        [helper.make_tensor_value_info(k, TensorProto.FLOAT, v) for k, v in shapes.items()],
        [numpy_helper.from_array(kernel, "kernel"), numpy_helper.from_array(axes, "axes")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    content: bytes = model.SerializeToString()
    return content


def test_planted_animal__is_found_in_each_patch(small_bundle: Path, tmp_path: Path) -> None:
    manifest = load_bundle(small_bundle).manifest.model_copy(update={"files": {}})
    folder = tmp_path / "bundle"
    write_bundle(folder, manifest, weights={}, novelty={}, network=green_network())
    patches = [(row, column) for row in range(4) for column in range(4)]
    drawn = []
    for row, column in patches:
        # Wider than tall, so that rows are not taken for columns.
        frame = np.random.default_rng(row).integers(0, 60, (96, 160, 3), dtype=np.uint8)
        frame[24 * row : 24 * row + 24, 40 * column : 40 * column + 40] = (40, 200, 90)
        drawn.append(frame)
    predictor = Predictor(folder, with_maps=True)
    for patch, prediction in zip(patches, predictor.predict(drawn), strict=True):
        assert prediction.probabilities is not None
        assert prediction.maps is not None
        assert int(prediction.probabilities.argmax()) == 5
        assert divmod(int(prediction.maps[0].argmax()), 4) == patch
        assert (prediction.maps[0] == 255).sum() == 1


def test_predictor__gives_maps_where_they_are_asked_for(
    bundle_with_maps: Path, small_bundle: Path, frames: Path
) -> None:
    plain, mapped, older = (
        list(predictor.predict(frames))
        for predictor in (
            Predictor(bundle_with_maps),
            Predictor(bundle_with_maps, with_maps=True),
            Predictor(small_bundle, with_maps=True),
        )
    )
    assert [row.maps for row in (*plain, *older)] == [None] * 6
    assert [None if row.maps is None else row.maps.shape for row in mapped] == [
        (5, 15, 15),
        None,
        (5, 15, 15),
    ]
    for without, having in zip(plain, mapped, strict=True):
        if without.probabilities is not None and having.probabilities is not None:
            np.testing.assert_array_equal(without.probabilities, having.probabilities)
            assert without.novelty == having.novelty


def predict(bundle: Path, frames: Path, out: Path, **options: Any) -> list[str]:
    told: list[str] = []
    inputs = collect_images([str(frames)])
    predict_to_file(load_bundle(bundle), inputs, out, reporter=Reporter(told.append), **options)
    return told


def test_file__holds_maps_and_how_to_cut_them(
    bundle_with_maps: Path, frames: Path, tmp_path: Path
) -> None:
    out, bare, lines = tmp_path / "p.parquet", tmp_path / "q.parquet", tmp_path / "p.jsonl"
    predict(bundle_with_maps, frames, out)
    predict(bundle_with_maps, frames, bare, with_maps=False)
    predict(bundle_with_maps, frames, lines)
    table = pq.read_table(out)
    rows = table.column("maps").to_pylist()
    assert [None if row is None else len(row) for row in rows] == [5 * 225, None, 5 * 225]
    said = read_predictions(out).metadata["maps"]
    assert (said["rows"], said["columns"], said["guesses"]) == (15, 15, 5)
    by_predictor = next(iter(Predictor(bundle_with_maps, with_maps=True).predict(frames)))
    assert by_predictor.maps is not None
    assert rows[0] == by_predictor.maps.reshape(-1).tolist()
    # Nothing else in the file is other than without them.
    assert table.drop(["maps"]).equals(pq.read_table(bare))
    assert "maps" not in read_predictions(bare).metadata
    assert [json.loads(line)["maps"] for line in lines.read_text().splitlines()] == rows
    assert read_predictions(lines).image_ids == read_predictions(out).image_ids


def test_csv__holds_none(bundle_with_maps: Path, frames: Path, tmp_path: Path) -> None:
    predict(bundle_with_maps, frames, tmp_path / "p.csv")
    Predictor(bundle_with_maps, with_maps=True).predict(frames).to_csv(tmp_path / "q.csv")
    for name in ("p.csv", "q.csv"):
        assert "maps" not in (tmp_path / name).read_text().splitlines()[0].split(",")


def test_older_bundle__is_said_to_have_none(
    small_bundle: Path, frames: Path, tmp_path: Path
) -> None:
    told = predict(small_bundle, frames, tmp_path / "p.parquet")
    assert [line for line in told if line.startswith("heat maps: none, because")]
    assert "maps" not in pq.read_schema(tmp_path / "p.parquet").names
    told = predict(small_bundle, frames, tmp_path / "q.parquet", with_maps=False)
    assert not [line for line in told if "heat maps" in line]


def test_stream__gives_a_table_with_maps(bundle_with_maps: Path, frames: Path) -> None:
    table = Predictor(bundle_with_maps, with_maps=True).predict(frames).to_arrow()
    assert table.column("maps").null_count == 1
    assert "maps" not in Predictor(bundle_with_maps).predict(frames).to_arrow().column_names
