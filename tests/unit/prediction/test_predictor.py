"""What `Predictor.predict` takes."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, TensorDataset

from finding_nemo import Predictor
from finding_nemo.core.categories import Category, CategoryTable
from finding_nemo.core.errors import (
    ArgumentError,
    BundleError,
    DatasetNotFoundError,
    OtherRunError,
    OutputError,
)
from finding_nemo.core.names.registries import load
from finding_nemo.core.records import Dataset, ImageRecord
from finding_nemo.data.images.decode import decode_image
from finding_nemo.metrics.ranking import rank_columns
from finding_nemo.models.bundle.bundle import load_bundle, write_bundle
from finding_nemo.models.bundle.uncertainty_tensors import Uncertainty, uncertainty_tensors
from finding_nemo.prediction.run.chunked_run import ChunkRows, ChunkWork
from finding_nemo.prediction.run.engine_local import predict_here
from finding_nemo.prediction.run.predict_to_file import predict_to_file
from finding_nemo.prediction.sources.image_sources import ImageSelection, collect_images
from finding_nemo.results.chunk_store import JOB, ChunkStore
from finding_nemo.results.prediction_formats import FORMATS
from finding_nemo.results.reading.answer_columns import answer_values
from finding_nemo.results.reading.assessment_columns import NO_ASSESSMENT, assessment_values
from finding_nemo.results.reading.readers import read_predictions
from finding_nemo.results.schema import TOP_K
from finding_nemo.uncertainty.calibration import LogitCalibration
from finding_nemo.uncertainty.opinion_pool import OpinionPool


@pytest.fixture(scope="module")
def frames(many_frames: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four frames."""
    folder = tmp_path_factory.mktemp("four")
    for number, path in enumerate(sorted(many_frames.rglob("*.png"))[:4]):
        (folder / f"f{number}.png").write_bytes(path.read_bytes())
    return folder


@pytest.fixture(scope="module")
def predictor(small_bundle: Path) -> Predictor:
    """A small network."""
    return Predictor(small_bundle)


_ALL = ["f0", "f1", "f2", "f3"]


def test_predict__takes_whatever_can_be_gone_through(frames: Path, predictor: Predictor) -> None:
    names = [str(frames / f"{name}.png") for name in _ALL]

    def ids(images: Any) -> list[str]:
        found = list(predictor.predict(images))
        assert all(prediction.failure is None for prediction in found)
        return [prediction.image_id for prediction in found]

    assert ids(str(frames)) == _ALL
    assert ids(frames) == _ALL
    assert ids([frames]) == _ALL
    assert ids(name for name in names) == _ALL
    assert ids(frames.iterdir() if False else iter(names)) == _ALL
    assert ids(tuple(map(Path, names))) == _ALL
    assert ids(np.array(names)) == _ALL
    assert ids(names[2]) == ["f2"]
    assert ids({names[1]: 0}) == ["f1"]
    inputs = collect_images([str(frames)])
    assert ids(inputs) == _ALL
    assert ids(inputs[3]) == ["f3"]
    assert ids(image for image in inputs) == _ALL
    assert ids([names[3], inputs[0], names[1]]) == ["f3", "f0", "f1"]
    assert ids([]) == []


@pytest.mark.parametrize(
    ("images", "kind"),
    [(None, "NoneType"), (3, "int"), (3.2, "float 3.2"), ([1], "int"), ([None], "NoneType")],
)
def test_predict__says_at_once_what_it_takes(predictor: Predictor, images: Any, kind: str) -> None:
    with pytest.raises(ArgumentError, match=f"predict.. takes the path .* got {kind}") as caught:
        predictor.predict(images)
    assert isinstance(caught.value, TypeError)


def _arrays(frames: Path) -> list[npt.NDArray[np.uint8]]:
    return [decode_image(frames / f"{name}.png").pixels for name in _ALL]


def _in_memory(frames: Path) -> dict[str, Any]:
    """Return the four frames in every form that is taken."""
    arrays, paths = _arrays(frames), [frames / f"{name}.png" for name in _ALL]
    batch = np.stack(arrays)
    channels_first = torch.from_numpy(batch).permute(0, 3, 1, 2)
    loader = DataLoader(TensorDataset(channels_first, torch.zeros(4)), batch_size=3)
    return {
        "bytes": [path.read_bytes() for path in paths],
        "arrays": arrays,
        "a batch": batch,
        "floats": batch.astype(np.float32) / 255,
        "channels first": [array.transpose(2, 0, 1) for array in arrays],
        "with alpha": [np.dstack([a, np.full(a.shape[:2], 7, np.uint8)]) for a in arrays],
        "PIL": [Image.fromarray(array) for array in arrays],
        "PIL, from a generator": (Image.fromarray(array) for array in arrays),
        "tensors": list(channels_first),
        "a loader": loader,
        "a dictionary": [{"pixel_values": batch}],
        "a data set": Dataset(
            frames,
            CategoryTable((Category(1, "crab", "crabs"),)),
            tuple(ImageRecord(path.stem, path, None) for path in paths),
        ),
    }


def test_images_in_memory__are_predicted_as_their_files_are(
    frames: Path, predictor: Predictor
) -> None:
    wanted = [prediction.probabilities for prediction in predictor.predict(frames)]
    for form, images in _in_memory(frames).items():
        found = list(predictor.predict(images))
        assert [prediction.failure for prediction in found] == [None] * 4, form
        ids = _ALL if form == "a data set" else [f"memory-{n:06d}" for n in range(4)]
        assert [prediction.image_id for prediction in found] == ids, form
        for prediction, expected in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(prediction.probabilities, expected, err_msg=form)


def test_one_image__needs_no_list(frames: Path, predictor: Predictor) -> None:
    path, (array, *_) = frames / "f0.png", _arrays(frames)
    (wanted,) = predictor.predict([path])
    tensor = torch.from_numpy(array.copy())
    for image in (path, str(path), path.read_bytes(), array, Image.fromarray(array), tensor):
        (found,) = predictor.predict(image)
        np.testing.assert_array_equal(found.probabilities, wanted.probabilities)


def test_grey_images__are_grey_in_three_channels(predictor: Predictor) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (40, 60), dtype=np.uint8)
    (found,) = predictor.predict(grey)
    (expected,) = predictor.predict(np.dstack([grey] * 3))
    np.testing.assert_array_equal(found.probabilities, expected.probabilities)
    assert (found.width, found.height) == (60, 40)


def test_names_and_images__can_be_mixed(frames: Path, predictor: Predictor) -> None:
    given = [frames / "f1.png", _arrays(frames)[2], frames / "f0.png", b"no image"]
    found = list(predictor.predict(given))
    assert [p.image_id for p in found] == ["f1", "memory-000000", "f0", "memory-000001"]
    assert [p.failure is None for p in found] == [True, True, True, False]


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((2, 3, 5, 7, 3), np.uint8), r"of shape \(2, 3, 5, 7, 3\) is no image"),
        (np.zeros(7, np.uint8), r"of shape \(7,\) is no image"),
        (np.full((4, 4, 3), 200.0), "floats from 200 to 200: wanted"),
        (np.full((4, 4, 3), np.nan), "image of float64: wanted"),
        (np.zeros((4, 4, 3), np.int32), "image of int32: wanted uint8"),
    ],
)
def test_arrays_that_are_no_image__are_refused(
    predictor: Predictor, image: Any, words: str
) -> None:
    with pytest.raises(ArgumentError, match=words):
        list(predictor.predict(image))


def test_stream__computes_what_is_asked_for(predictor: Predictor) -> None:
    opened = []

    def endless() -> Iterator[npt.NDArray[np.uint8]]:
        while True:
            opened.append(1)
            yield np.zeros((32, 32, 3), np.uint8)

    stream = predictor.predict(endless())
    assert opened == []
    assert next(stream).image_id == "memory-000000"
    assert len(opened) < 1000


def test_stream__becomes_a_table_a_frame_or_a_file(
    frames: Path, predictor: Predictor, tmp_path: Path
) -> None:
    table = predictor.predict(frames).to_arrow()
    assert table["image_id"].to_pylist() == _ALL
    assert table["vector"].type.list_size == len(predictor.bundle.categories)
    frame = predictor.predict(frames).to_pandas()
    assert list(frame["image_id"]) == _ALL
    assert predictor.predict(frames).to_csv(tmp_path / "p.csv", guesses=2, ids=True) == 4
    header = (tmp_path / "p.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    assert "guess2_id" in header
    assert "guess3" not in header
    assert predictor.predict(frames).to_parquet(tmp_path / "p.parquet") == 4
    read = read_predictions(tmp_path / "p.parquet")
    assert list(read.image_ids) == _ALL
    assert [list(ids) for ids in read.ranked_ids] == table["categories"].to_pylist()
    assert predictor.predict([]).to_arrow().num_rows == 0
    # What says how far to trust the rows is beside them, as in a file of the command line.
    predict_to_file(predictor.bundle, ImageSelection((str(frames),)), tmp_path / "q.parquet")
    usual = read_predictions(tmp_path / "q.parquet").metadata
    assert {name: usual[name] for name in read.metadata} == read.metadata
    assert "novelty_scores" in read.metadata


def test_predictor__travels_to_another_process(frames: Path, predictor: Predictor) -> None:
    there = pickle.loads(pickle.dumps(predictor))  # noqa: S301 - our own
    for found, expected in zip(there.predict(frames), predictor.predict(frames), strict=True):
        np.testing.assert_array_equal(found.probabilities, expected.probabilities)


def test_predict__names_a_folder_that_is_not_there(predictor: Predictor) -> None:
    with pytest.raises(DatasetNotFoundError, match="nowhere does not exist"):
        predictor.predict("nowhere")


def test_file__never_replaces_an_image_that_is_predicted(
    frames: Path, small_bundle: Path, tmp_path: Path
) -> None:
    bundle = load_bundle(small_bundle)
    link = tmp_path / "link.out"
    link.hardlink_to(frames / "f2.png")
    content = link.read_bytes()
    for images in (ImageSelection((str(frames),)), collect_images([str(frames)])):
        with pytest.raises(OutputError, match="is what the command reads"):
            predict_to_file(bundle, images, link, file_format="csv", overwrite=True)
    for out in (bundle.path / "bundle.json", bundle.path / "model.onnx"):
        with pytest.raises(OutputError, match="is what the command reads"):
            predict_to_file(
                bundle, ImageSelection((str(frames),)), out, file_format="csv", overwrite=True
            )
    assert link.read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["link.out"]


def test_file__is_in_the_format_of_its_name(
    frames: Path, small_bundle: Path, tmp_path: Path
) -> None:
    bundle, images = load_bundle(small_bundle), ImageSelection((str(frames),))
    predict_to_file(bundle, images, tmp_path / "p.csv")
    assert (tmp_path / "p.csv").read_text(encoding="utf-8").startswith("\ufeffimage,dive,time,")
    predict_to_file(bundle, images, tmp_path / "p.jsonl")
    assert (tmp_path / "p.jsonl").read_text(encoding="utf-8").startswith("{")
    assert read_predictions(tmp_path / "p.jsonl").image_ids == tuple(_ALL)


@pytest.mark.parametrize(
    "name", [n for n, each in FORMATS.items() if each.reader and each.reads_back]
)
def test_file__has_every_column_of_the_assessment_in_every_format(
    name: str, frames: Path, predictor: Predictor, small_bundle: Path, tmp_path: Path
) -> None:
    path, images = tmp_path / f"p{FORMATS[name].suffixes[0]}", ImageSelection((str(frames),))
    predict_to_file(load_bundle(small_bundle), images, path)
    columns = load(str(FORMATS[name].reader))(path, verify=False).columns
    for row, image in enumerate(predictor.predict(frames)):
        assert image.probabilities is not None
        best = rank_columns(image.probabilities[np.newaxis], k=TOP_K)[0]
        for column, value in assessment_values(image.assessment, best).items():
            found = columns[column][row]
            if isinstance(value, str):
                assert (found or "") == value
            else:
                np.testing.assert_allclose(
                    np.array(found, np.float64), np.array(value, np.float64), rtol=1e-5
                )
        assert list(assessment_values(image.assessment, best)) == list(NO_ASSESSMENT)
        for column, value in answer_values(image.answer).items():
            assert columns[column][row] == (
                value if isinstance(value, str) else pytest.approx(value)
            )


def test_file__a_start_that_failed_keeps_nobody_from_it(
    frames: Path, small_bundle: Path, tmp_path: Path
) -> None:
    bundle, out = load_bundle(small_bundle), tmp_path / "p.csv"
    (tmp_path / "bad.txt").write_text(f"{tmp_path}/nowhere\n")
    for names in (("nowhere",), (str(tmp_path / "empty"),)):
        (tmp_path / "empty").mkdir(exist_ok=True)
        with pytest.raises((DatasetNotFoundError, Exception), match=r"nowhere|No image"):
            predict_to_file(bundle, ImageSelection(names), out)

    def never(*_: object) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict_to_file(bundle, ImageSelection((str(frames / "f0.png"),)), out, engine=never)
    # Another command: nothing was predicted yet, so there is nothing to lose.
    assert predict_to_file(bundle, ImageSelection((str(frames),)), out).n_images == 4


def _ranked_bundle(small_bundle: Path, folder: Path, *, pool: OpinionPool | None) -> Path:
    """Write the small bundle again, with a ranking of its own or without."""
    bundle = load_bundle(small_bundle)
    n_categories = len(bundle.categories)
    calibration = LogitCalibration(np.linspace(-2, 2, n_categories), np.full(n_categories, 0.5))
    write_bundle(
        folder,
        bundle.manifest,
        weights={},
        novelty=uncertainty_tensors(Uncertainty(calibration=calibration, ranking=pool)),
        network=(small_bundle / "model.onnx").read_bytes(),
    )
    return folder


def test_ranking__is_that_of_the_bundle_and_probabilities_stay_calibrated(
    frames: Path, small_bundle: Path, tmp_path: Path
) -> None:
    generator = np.random.default_rng(5)
    pool = OpinionPool(
        offset=generator.normal(size=30),
        slope=np.full(30, 0.3),
        frequency=generator.random(30),
        weight=0.4,
    )
    by_pool = _ranked_bundle(small_bundle, tmp_path / "pooled", pool=pool)
    by_probability = _ranked_bundle(small_bundle, tmp_path / "older", pool=None)
    inputs = collect_images([str(frames)])
    tables = []
    for number, bundle in enumerate((by_pool, by_probability)):
        predict_to_file(load_bundle(bundle), inputs, tmp_path / f"p{number}.parquet")
        tables.append(read_predictions(tmp_path / f"p{number}.parquet"))
    pooled, plain = tables
    assert pooled.vector is not None
    np.testing.assert_array_equal(pooled.vector, plain.vector)
    # The slow version, from the probabilities of the file.
    calibration = LogitCalibration.of(pooled.metadata["calibration"])
    logits = calibration.undo_to_logits(pooled.vector.astype(np.float64))
    for row, guesses in enumerate(pooled.ranked_ids):
        scores = [
            1 / (1 + np.exp(-(pool.offset[c] + 0.3 * logits[row, c]))) + 0.4 * pool.frequency[c]
            for c in range(30)
        ]
        best = sorted(range(30), key=lambda c, scores=scores: -scores[c])  # type: ignore[misc]
        assert [pooled.category_ids.index(n) for n in guesses] == best[:20]
    assert pooled.ranked_ids != plain.ranked_ids
    assert all(np.diff(row).max() <= 0 for row in plain.ranked_probabilities)
    told = pooled.metadata["ranking"]
    assert (told["weight"], told["frequency"]) == (0.4, pool.frequency.tolist())
    assert "not by probability" in told["about"]
    assert plain.metadata["ranking"] is None
    stream = Predictor(by_pool).predict(frames).to_arrow()
    assert stream.column("categories").to_pylist() == [list(ids) for ids in pooled.ranked_ids]


def test_ranking__of_a_damaged_bundle_is_refused(small_bundle: Path, tmp_path: Path) -> None:
    wrong = OpinionPool(offset=np.zeros(30), slope=np.zeros(30), frequency=np.zeros(29), weight=0.1)
    folder = _ranked_bundle(small_bundle, tmp_path / "wrong", pool=wrong)
    with pytest.raises(BundleError, match="'ranking.frequency' is of shape .29,.; wanted is 30"):
        Predictor(folder).postprocessor  # noqa: B018 - opened on first use


def test_file__unfinished_parts_with_other_columns_are_not_gone_on_with(
    frames: Path, small_bundle: Path, tmp_path: Path
) -> None:
    bundle, out = load_bundle(small_bundle), tmp_path / "p.parquet"
    images = ImageSelection((str(frames),))

    def stopped(work: ChunkWork, chunks: Sequence[int]) -> Iterator[ChunkRows]:
        yield from predict_here(work, chunks)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict_to_file(bundle, images, out, engine=stopped)
    job = ChunkStore(out).folder / JOB
    told = json.loads(job.read_text())
    del told["request"]["columns"]  # as an earlier version wrote it
    job.write_text(json.dumps(told))
    with pytest.raises(OtherRunError, match="columns was not given .of the rows"):
        predict_to_file(bundle, images, out)
    assert predict_to_file(bundle, images, out, overwrite=True).n_images == 4


def test_file__says_dive_time_and_answer_of_each_image(
    tiny_folder: Path, small_bundle: Path, tmp_path: Path
) -> None:
    bundle = load_bundle(small_bundle)
    out = tmp_path / "p.parquet"
    predict_to_file(bundle, ImageSelection((str(tiny_folder),)), out)
    found = read_predictions(out)
    assert found.dives[:6] == ("Tiny 0000",) * 5 + ("Tiny 0001",)
    assert found.captured[7] == datetime(2015, 5, 2, 10, 0, 7)
    assert found.answers is not None
    assert set(found.answers.confidences) == {"guess"}  # a bundle without validation images
    names = dict(zip(bundle.categories.ids, bundle.categories.names, strict=True))
    best = [names[ids[0]] for ids in found.ranked_ids]
    assert list(found.answers.texts) == best
    assert found.metadata["domain_check"] is None
    ranks = [rank for rank in found.answers.look_first if rank is not None]
    assert ranks == [1] * 6  # one of the five frames of each dive
    folder = ImageSelection((str(tiny_folder / "images/train"),), dive_pattern="(?P<dive>train)/")
    predict_to_file(bundle, folder, tmp_path / "q.parquet")
    assert set(read_predictions(tmp_path / "q.parquet").dives) == {"train"}
    frames = ImageSelection((str(tiny_folder / "images/train"),))
    predict_to_file(bundle, frames, tmp_path / "r.parquet")
    assert read_predictions(tmp_path / "r.parquet").dives == ()
