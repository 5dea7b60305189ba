"""One model, the same answer: in a batch or alone, by torch or without it, in every format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from threadpoolctl import threadpool_info, threadpool_limits

from finding_nemo import read_predictions
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.records import Dataset
from finding_nemo.data.images.decode import decode_image
from finding_nemo.data.images.resize import preprocess
from finding_nemo.models.bundle.bundle import Bundle
from finding_nemo.models.bundle.uncertainty_tensors import uncertainty_from_tensors
from finding_nemo.models.networks.backbones import load_backbone
from finding_nemo.prediction.postprocess import PostProcessor
from finding_nemo.prediction.predictor import Predictor
from finding_nemo.prediction.run.predict_to_file import predict_to_file
from finding_nemo.prediction.sources.image_sources import collect_images
from finding_nemo.results.submission import read_submission
from finding_nemo.training.train_recipe import train

pytestmark = pytest.mark.slow

_SETTINGS = {"epochs": 2, "width_px": 64, "height_px": 64, "batch_size": 8, "pretrained": False}


@pytest.fixture(scope="module", params=["resnet18", "probe"])
def bundle(
    request: pytest.FixtureRequest, dataset: Dataset, tmp_path_factory: pytest.TempPathFactory
) -> Bundle:
    out = tmp_path_factory.mktemp("prediction") / request.param
    return train(dataset, out=out, recipe=request.param, settings=_SETTINGS).bundle


def vectors(bundle: Bundle, dataset: Dataset, *, batch_size: int) -> np.ndarray:
    inputs = collect_images([str(dataset.root)])
    found = Predictor(bundle).predict(inputs, batch_size=batch_size)
    return np.stack([row.probabilities for row in found if row.probabilities is not None])


def test_batch_of_eight__equals_one_by_one(bundle: Bundle, dataset: Dataset) -> None:
    together = vectors(bundle, dataset, batch_size=8)
    alone = vectors(bundle, dataset, batch_size=1)
    assert together.shape == (30, 4)
    assert len(np.unique(together.round(6), axis=0)) > 20
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-5)


def torch_logits(bundle: Bundle, dataset: Dataset) -> np.ndarray:
    """Rebuild the network from the bundle's tensors, and run it on the files' pixels."""
    arrays = load_file(bundle.path / "weights.safetensors")
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    preprocessing = bundle.manifest.preprocessing or Preprocessing()
    pixels = torch.from_numpy(
        np.stack([preprocess(decode_image(r.path).pixels, preprocessing) for r in dataset.records])
    )
    backbone = str(bundle.manifest.settings["backbone"])
    is_probe = bundle.manifest.recipe == "probe"
    network = load_backbone(backbone, n_outputs=0 if is_probe else 4, pretrained=False).network
    if not is_probe:
        network.load_state_dict(tensors)
        return np.asarray(network.eval()(pixels).detach().numpy())
    network.load_state_dict(
        {name[2:]: tensor for name, tensor in tensors.items() if name.startswith("0.")}
    )
    features = network.eval()(pixels)
    standardised = (features - tensors["1.mean"]) / tensors["1.std"]
    logits = standardised @ tensors["1.linear.weight"].T + tensors["1.linear.bias"]
    return np.asarray(logits.detach().numpy())


def test_exported_network__equals_torch_from_the_same_files(
    bundle: Bundle, dataset: Dataset
) -> None:
    found = vectors(bundle, dataset, batch_size=8)
    calibration = uncertainty_from_tensors(bundle.novelty).calibration
    assert calibration is not None
    expected = calibration(torch_logits(bundle, dataset))
    assert np.abs(found - expected).max() < 1e-4


def test_formats__say_the_same(bundle: Bundle, dataset: Dataset, tmp_path: Path) -> None:
    inputs = collect_images([str(dataset.root)])
    parquet, jsonl, submission = (tmp_path / name for name in ("p", "p.jsonl", "s"))
    parquet = parquet.with_suffix(".parquet")
    predict_to_file(bundle, inputs, parquet)
    predict_to_file(bundle, inputs, jsonl, file_format="jsonl")
    predict_to_file(bundle, inputs, submission, file_format="submission")
    whole = read_predictions(parquet)
    assert read_predictions(jsonl).ranked_ids == whole.ranked_ids
    lines = read_submission(submission)
    assert [line.image_id for line in lines] == list(whole.image_ids)
    assert [tuple(line.category_ids) for line in lines] == list(whole.ranked_ids)
    assert [line.osd for line in lines] == pytest.approx(whole.novelty.tolist())
    assert all(len(set(ids)) == len(ids) for ids in whole.ranked_ids)
    assert whole.metadata["bundle_hash"]


def test_same_name_twice__gets_ids_of_its_own(
    bundle: Bundle, dataset: Dataset, tmp_path: Path
) -> None:
    file = dataset.records[0].path
    predict_to_file(bundle, collect_images([str(file), str(file)]), tmp_path / "p.parquet")
    ids = read_predictions(tmp_path / "p.parquet").image_ids
    assert len(set(ids)) == 2


def test_linear_algebra__has_one_thread_so_that_rows_do_not_depend_on_the_cores(
    bundle: Bundle, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []
    real = PostProcessor.read

    def counting(self: PostProcessor, *outputs: Any) -> Any:
        found = [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]
        threads.extend(found)
        return real(self, *outputs)

    monkeypatch.setattr(PostProcessor, "read", counting)
    with threadpool_limits(2, user_api="blas"):
        list(Predictor(bundle).predict(collect_images([str(dataset.root)])))
    assert set(threads) == {1}
