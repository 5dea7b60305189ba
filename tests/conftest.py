"""Fixtures that more than one file of tests uses."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from finding_nemo import read_dataset, split_by_dive
from finding_nemo.adaptation.adapt_dive import Dive
from finding_nemo.adaptation.covariance import DiveFrames, unit_rows
from finding_nemo.adaptation.simulate_reviews import TrueDive, no_labels
from finding_nemo.core.preprocessing import Preprocessing
from finding_nemo.core.records import Dataset, Prediction, Split
from finding_nemo.models.bundle.bundle import write_bundle
from finding_nemo.models.bundle.manifest import (
    BundleManifest,
    CategoryEvidence,
    PartCounts,
    SplitSummary,
)
from finding_nemo.results.columns import to_table
from finding_nemo.results.file_metadata import to_file_metadata
from finding_nemo.results.schema import Columns
from finding_nemo.results.writers import write_tables

_BESIDE_THE_PROJECT = Path(__file__).resolve().parents[1].parent / "shared" / "data"


def _real_folder(name: str) -> Path:
    roots = [Path(os.environ.get("FINDING_NEMO_DATA", "")), _BESIDE_THE_PROJECT]
    for root in roots:
        if str(root) != "." and (root / name).is_dir():
            return root / name
    pytest.skip(f"no real data: neither FINDING_NEMO_DATA nor ../shared/data holds {name}")


@pytest.fixture(scope="session")
def trashcan_folder() -> Path:
    """Real ROV frames, read-only."""
    return _real_folder("trashcan")


@pytest.fixture(scope="session")
def fathomnet_folder() -> Path:
    """The competition's annotation files, read-only."""
    return _real_folder("fathomnet2023")


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty frames of six dives in the competition's layout; each category is a colour."""
    return write_tiny_dataset(tmp_path_factory.mktemp("tiny") / "frames")


@pytest.fixture(scope="session")
def dataset(tiny_folder: Path) -> Dataset:
    """The data set of `tiny_folder`."""
    return read_dataset(tiny_folder)


@pytest.fixture(scope="session")
def split(dataset: Dataset) -> Split:
    """Its parts by dive, with a validation part."""
    return split_by_dive(dataset, val_fraction=0.2, seed=0)


@pytest.fixture(autouse=True, scope="session")
def cache_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what tests decode out of the person's own cache."""
    before = os.environ.get("FINDING_NEMO_CACHE")
    os.environ["FINDING_NEMO_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["FINDING_NEMO_CACHE"]
    else:
        os.environ["FINDING_NEMO_CACHE"] = before


_COLOURS = {2: (220, 60, 40), 5: (40, 200, 90), 6: (60, 80, 220), 9: (230, 220, 90)}


def write_tiny_dataset(folder: Path) -> Path:
    """Write the data set that `tiny_folder` gives."""
    rng = np.random.default_rng(7)
    (folder / "images/train").mkdir(parents=True)
    (folder / "object_detection").mkdir()
    (folder / "multilabel_classification").mkdir()
    rows, images, boxes = ["id,categories"], [], []
    for number in range(30):
        dive = number // 5
        ids = sorted(set(rng.choice(list(_COLOURS), 1 + number % 2).tolist()))
        _draw_tiny(folder / f"images/train/f{number}.png", ids, rng)
        rows.append(f'f{number},"{[float(k) for k in ids]}"')
        images.append(_tiny_image(number, dive))
        boxes += [
            {"id": 10 * number + k, "image_id": number, "category_id": k, "bbox": [1, 1, 9, 9]}
            for k in ids
        ]
    table = [{"id": k, "name": f"animal {k}", "supercategory": f"group {k % 2}"} for k in _COLOURS]
    key = ["id,name,supercat", *(f"{c['id']},{c['name']},{c['supercategory']}" for c in table)]
    (folder / "category_key.csv").write_text("\n".join(key) + "\n")
    (folder / "multilabel_classification/train.csv").write_text("\n".join(rows) + "\n")
    (folder / "object_detection/train.json").write_text(
        json.dumps({"images": images, "annotations": boxes, "categories": table})
    )
    return folder


def _draw_tiny(path: Path, ids: list[int], rng: np.random.Generator) -> None:
    pixels = rng.integers(0, 50, (48, 64, 3), dtype=np.uint8)
    for place, number in enumerate(ids):
        row, column = rng.integers(0, 24, 2)
        pixels[row : row + 18, column + 12 * place : column + 12 * place + 18] = _COLOURS[number]
    Image.fromarray(pixels).save(path)


def _tiny_image(number: int, dive: int) -> dict[str, Any]:
    return {
        "id": number,
        "file_name": f"f{number}.png",
        "width": 64,
        "height": 48,
        "coco_url": f"https://x.example/framegrabs/Tiny/images/{dive:04d}/00_00_{number:02d}_00.png",
        "date_captured": f"2015-05-{dive + 1:02d} 10:00:{number:02d}",
    }


@pytest.fixture(scope="session")
def small_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle whose network is one convolution that nobody trained, with features."""
    return write_small_bundle(tmp_path_factory.mktemp("small") / "bundle")


@pytest.fixture(scope="session")
def bundle_with_maps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with what each of 15 x 15 patches says, whose mean is what the frame says."""
    return write_small_bundle(tmp_path_factory.mktemp("mapped") / "bundle", with_maps=True)


def write_small_bundle(
    folder: Path, *, n_categories: int = 30, n_features: int = 8, with_maps: bool = False
) -> Path:
    """Write the bundle that `small_bundle` gives; each image has probabilities of its own."""
    evidence = [
        CategoryEvidence(
            category_id=k + 1, name=f"animal {k}", supercategory="all", n_images=k, n_dives=1
        )
        for k in range(n_categories)
    ]
    manifest = BundleManifest(
        recipe="drawn",
        runner="network",
        settings={},
        categories=tuple(evidence),
        preprocessing=Preprocessing(width_px=32, height_px=32),
        split=SplitSummary(
            kind="file", seed=None, parts={"train": PartCounts(n_images=9, n_dives=2)}, sha256=""
        ),
        validation=None,
        provenance={},
    )
    network = _small_network(n_categories, n_features, with_maps=with_maps)
    write_bundle(folder, manifest, weights={}, novelty={}, network=network)
    return folder


def _small_network(n_categories: int, n_features: int, *, with_maps: bool) -> bytes:
    rng = np.random.default_rng(3)
    tensors = {
        "kernel": rng.normal(size=(n_features, 3, 3, 3)),
        "weight": 4 * rng.normal(size=(n_features, n_categories)),
    }
    nodes = [
        helper.make_node("Conv", ["images", "kernel"], ["maps"], strides=[2, 2]),
        helper.make_node("Relu", ["maps"], ["positive"]),
        helper.make_node("ReduceMean", ["positive", "axes"], ["features"], keepdims=0),
        helper.make_node("MatMul", ["features", "weight"], ["logits"]),
    ]
    outputs = {"logits": [n_categories], "features": [n_features]}
    if with_maps:
        tensors["patch_kernel"] = tensors["weight"].T[:, :, None, None]
        nodes.append(helper.make_node("Conv", ["positive", "patch_kernel"], ["patch_logits"]))
        outputs["patch_logits"] = [n_categories, 15, 15]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, 32, 32])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape])
            for name, shape in outputs.items()
        ],
        [
            *(numpy_helper.from_array(v.astype(np.float32), k) for k, v in tensors.items()),
            numpy_helper.from_array(np.array([2, 3], dtype=np.int64), "axes"),
        ],
    )
    opset = [helper.make_opsetid("", 18)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=10)
    content: bytes = model.SerializeToString()
    return content


@pytest.fixture(scope="session")
def many_frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six hundred frames that differ, in two folders, one of them empty and one damaged."""
    folder = tmp_path_factory.mktemp("many") / "frames"
    rng = np.random.default_rng(11)
    for number in range(600):
        path = folder / f"dive{number // 400}" / f"{number % 400:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 255, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((40, 30)).save(path)
    (folder / "dive0/100.png").write_bytes(b"")
    (folder / "dive1/007.png").write_bytes((folder / "dive1/008.png").read_bytes()[:90])
    return folder


def _fathomnet(folder: Path) -> Path:
    (folder / "multilabel_classification").mkdir()
    (folder / "category_key.csv").write_text("id,name,supercat\n1,Crab,Animal\n")
    (folder / "multilabel_classification/train.csv").write_text('id,categories\na,"[1.0]"\n')
    return folder


def _coco(folder: Path) -> Path:
    content = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 2, 2]}],
        "categories": [{"id": 1, "name": "Crab", "supercategory": "Animal"}],
    }
    (folder / "frames.json").write_text(json.dumps(content))
    return folder / "frames.json"


def _csv(folder: Path) -> Path:
    (folder / "frames.csv").write_text("path,categories\na.png,Crab\n")
    return folder / "frames.csv"


def _zip(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "frames.zip", "w") as archive:
        archive.writestr("category_key.csv", "id,name,supercat\n1,Crab,Animal\n")
        archive.writestr("multilabel_classification/train.csv", 'id,categories\na,"[1.0]"\n')
    return folder / "frames.zip"


def _write_json(folder: Path, content: object) -> Path:
    (folder / "frames.json").write_text(json.dumps(content))
    return folder / "frames.json"


def _ifdo(folder: Path) -> Path:
    label = {"label": "1", "annotator": "ada", "created-at": "2026-02-01T00:00:00Z"}
    return _write_json(
        folder,
        {
            "image-set-header": {
                "image-set-name": "x",
                "image-annotation-labels": [{"id": "1", "name": "Crab"}],
                "image-annotation-creators": [{"id": "ada", "name": "Ada"}],
            },
            "image-set-items": {
                "a.png": {
                    "image-altitude-meters": -900.5,
                    "image-annotations": [
                        {"shape": "whole-image", "coordinates": [], "labels": [label]}
                    ],
                }
            },
        },
    )


def _biigle(folder: Path) -> Path:
    (folder / "frames.csv").write_text(
        "image_label_id,image_id,filename,longitude,latitude,user_id,firstname,lastname,label_id,"
        "label_name,label_hierarchy,created_at\n"
        "1,1,a.png,-122.5,36.5,2,Ada,Lovelace,7,Crab,Animal > Crab,2026-02-01 00:00:00\n"
    )
    return folder / "frames.csv"


def _cvat(folder: Path) -> Path:
    (folder / "frames.xml").write_text(
        '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version>\n'
        "<meta><task><labels><label><name>Crab</name></label></labels></task></meta>\n"
        '<image id="0" name="a.png" width="64" height="48">\n'
        '<box label="Crab" source="manual" xtl="1" ytl="2" xbr="4" ybr="6"></box>\n'
        "</image>\n</annotations>\n"
    )
    return folder / "frames.xml"


def _label_studio(folder: Path) -> Path:
    result = {
        "from_name": "label",
        "to_name": "image",
        "type": "choices",
        "value": {"choices": ["Crab"]},
    }
    task = {"id": 1, "data": {"image": "a.png"}, "annotations": [{"result": [result]}]}
    return _write_json(folder, [task])


def _fathomnet_api(folder: Path) -> Path:
    box = {"concept": "Crab", "x": 1, "y": 2, "width": 3, "height": 4, "rejected": False}
    image = {"uuid": "a", "url": "https://h/x/7.png", "width": 64, "boundingBoxes": [box]}
    return _write_json(folder, [image])


def _vars(folder: Path) -> Path:
    annotation = {
        "concept": "Crab",
        "observation_uuid": "o1",
        "imaged_moment_uuid": "m1",
        "image_references": [{"url": "https://h/x/a.png", "format": "image/png", "uuid": "r1"}],
        "associations": [],
    }
    return _write_json(folder, [annotation])


SMALLEST: Mapping[str, Callable[[Path], Path]] = {
    "fathomnet2023": _fathomnet,
    "coco": _coco,
    "csv": _csv,
    "fathomnet2023-zip": _zip,
    "ifdo": _ifdo,
    "biigle": _biigle,
    "cvat": _cvat,
    "label-studio": _label_studio,
    "fathomnet-api": _fathomnet_api,
    "vars": _vars,
}


@pytest.fixture
def smallest() -> Mapping[str, Callable[[Path], Path]]:
    """From a form's name to what writes its smallest data set, an image "a" with a "Crab"."""
    return SMALLEST


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test ask its own server, whatever proxy this machine has."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def own_parts() -> Iterator[None]:
    """Let a test register what it likes: the tables are afterwards as they were."""
    from finding_nemo.models.networks.own_backbones import BACKBONES
    from finding_nemo.training.recipes.loop_choices import AUGMENTATIONS, LOSSES, SAMPLERS
    from finding_nemo.training.recipes.registry import RECIPES

    tables: tuple[Any, ...] = (BACKBONES, AUGMENTATIONS, LOSSES, SAMPLERS, RECIPES)
    before = [(dict(table._entries), set(table._added)) for table in tables]
    yield
    for table, (entries, added) in zip(tables, before, strict=True):
        table._entries, table._added = entries, added


_DIVE_CATEGORIES = (
    {"category_id": 1, "name": "crab", "supercategory": "Crustacea", "n_images": 40, "n_dives": 6},
    {"category_id": 2, "name": "eel", "supercategory": "Fish", "n_images": 12, "n_dives": 3},
    {"category_id": 7, "name": "squid", "supercategory": "Mollusca", "n_images": 2, "n_dives": 1},
)
_DIVE_TYPES = {
    "image_id": pa.string(),
    "path": pa.string(),
    "time_s": pa.float64(),
    "width": pa.int32(),
    "height": pa.int32(),
    "failure": pa.string(),
    "categories": pa.list_(pa.int32()),
    "probabilities": pa.list_(pa.float32()),
    "novelty": pa.float64(),
    "unusualness": pa.float64(),
    "novelty_scores": pa.list_(pa.float32()),
    "present": pa.list_(pa.int32()),
    "candidates": pa.list_(pa.int32()),
    "prediction": pa.string(),
    "prediction_source": pa.string(),
    "brightness": pa.float32(),
    "answer": pa.string(),
    "answer_level": pa.string(),
    "answer_probability": pa.float32(),
    "confidence": pa.string(),
    "why": pa.string(),
    "dive": pa.string(),
    "captured": pa.timestamp("us"),
    "look_first": pa.int32(),
    "names": pa.list_(pa.string()),
    "maps": pa.list_(pa.uint8()),
}


def dive_row(number: int, **values: Any) -> dict[str, Any]:
    """Return a row of a predictions file: by default a crab with 0.8, or what `values` say."""
    row = {
        "image_id": f"f{number}",
        "path": f"f{number}.png",
        "width": 64,
        "height": 48,
        "categories": [1, 2, 7],
        "probabilities": [0.8, 0.3, 0.1],
        "novelty": 1.0,
        "unusualness": 0.5,
        "novelty_scores": [1.0],
        "present": [],
        "candidates": [1],
        "prediction": "",
        "prediction_source": "",
        "brightness": 0.5,
        **values,
    }
    if row.get("failure"):
        row |= dict.fromkeys(
            ("width", "height", "categories", "probabilities", "novelty", "unusualness"), None
        ) | dict.fromkeys(("novelty_scores", "present", "candidates", "brightness"), None)
    return row


def write_dive_file(path: Path, rows: list[dict[str, Any]], **metadata: Any) -> Path:
    """Write a predictions file, with those columns that some row has."""
    told = {
        "schema_version": 1,
        "recipe": "probe",
        "bundle_hash": "0123456789abcdef",
        "ended": "2026-03-04T10:00:00+00:00",
        "categories": list(_DIVE_CATEGORIES),
        "novelty_scores": ["vim"],
        **metadata,
    }
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps({"failure": None, **row}) + "\n" for row in rows))
        path.with_name(f"{path.name}.provenance.json").write_text(json.dumps(told))
        return path
    columns = {
        name: pa.array([row.get(name) for row in rows], kind)
        for name, kind in _DIVE_TYPES.items()
        if name == "failure" or any(name in row for row in rows)
    }
    with pq.ParquetWriter(path, pa.schema([(n, c.type) for n, c in columns.items()])) as writer:
        writer.write_table(pa.table(columns))
        writer.add_key_value_metadata(to_file_metadata(told))
    return path


class DiveFiles:
    """Writes predictions files for the page of a dive."""

    row = staticmethod(dive_row)
    write = staticmethod(write_dive_file)


@pytest.fixture(scope="session")
def dive_files() -> DiveFiles:
    """What writes rows and predictions files by hand."""
    return DiveFiles()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """The system's chromium, without a window, driven by playwright; skips where it is missing."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        pytest.skip("no browser: playwright is not installed (pip install playwright)")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no browser: there is no chromium (apt-get install chromium)")
    with sync_playwright() as tools:
        # Root, as in a container, has no sandbox.
        started = tools.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def draw_dive() -> Callable[..., TrueDive]:
    """Draws dives of two clips on which reviews can be simulated."""
    return drawn_dive


def drawn_dive(
    *, n_frames: int = 40, n_categories: int = 4, seed: int = 0, fold: int = 0
) -> TrueDive:
    """Draw a dive: each frame holds the category of its stretch of ten frames, and looks like it.

    The base prediction knows next to nothing.
    """
    rng = np.random.default_rng(seed)
    kinds = rng.permutation(n_categories)[np.arange(n_frames) // 10 % n_categories]
    centres = rng.normal(size=(n_categories, 6))
    features = unit_rows((centres[kinds] + 0.3 * rng.normal(size=(n_frames, 6))).astype(np.float32))
    truth = np.zeros((n_frames, n_categories), dtype=np.bool_)
    truth[np.arange(n_frames), kinds] = True
    base = np.clip(0.25 + 0.1 * rng.normal(size=truth.shape), 0.01, 0.99).astype(np.float32)
    frames = DiveFrames(
        features=features,
        clips=(np.arange(n_frames) >= n_frames // 2).astype(np.int64),
        numbers=np.arange(n_frames, dtype=np.float64) % (n_frames // 2),
        times_s=np.full(n_frames, np.nan),
    )
    dive = Dive(
        name=f"dive {seed}",
        frames=frames,
        base=base,
        labels=no_labels(n_categories),
        usable=np.ones(n_frames, dtype=np.bool_),
    )
    return TrueDive(dive=dive, truth=truth, fold=fold)


@pytest.fixture(scope="session")
def reviewable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the verbs of adaptation take, of three drawn dives of 24 frames.

    `fold0.parquet` and `fold1.parquet` hold predictions with embeddings (the last frame of the
    first one failed), `truth.csv` their labels: crab, fish and squid, with ids 1, 2 and 3.
    """
    folder = tmp_path_factory.mktemp("reviewable")
    dives = [drawn_dive(n_frames=24, n_categories=3, seed=seed) for seed in range(3)]
    rows = [_frames_of(dive, number) for number, dive in enumerate(dives)]
    names = ("crab", "fish", "squid")
    lines = ["path,categories"]
    for dive, frames in zip(dives, rows, strict=True):
        kinds = [names[kind] for kind in dive.truth.argmax(axis=1)]
        lines += [f"{f.path},{kind}" for f, kind in zip(frames, kinds, strict=True)]
    (folder / "truth.csv").write_text("\n".join(lines) + "\n")
    last = rows[0][-1]
    rows[0][-1] = Prediction(last.image_id, last.path, None, None, "is empty (0 bytes)", None, None)
    for number, frames in enumerate((rows[0] + rows[1], rows[2])):
        _write_embeddings(folder / f"fold{number}.parquet", frames, names)
    return folder


def _frames_of(drawn: TrueDive, number: int) -> list[Prediction]:
    features = drawn.dive.frames.features
    found = []
    for row, probabilities in enumerate(drawn.dive.base):
        name = f"d{number}-clip{row // 12}_{row % 12:03d}"
        path = f"x/framegrabs/ROV/images/{number:04d}/{name}.png"
        embedding = None if features is None else features[row].astype(np.float32)
        found.append(Prediction(name, path, 64, 48, None, probabilities, 0.5, embedding=embedding))
    return found


def _write_embeddings(path: Path, rows: list[Prediction], names: tuple[str, ...]) -> None:
    columns = Columns(len(names), n_features=6)
    table = to_table(rows, range(1, len(names) + 1), columns)
    categories = [
        {
            "category_id": number,
            "name": name,
            "supercategory": "animals",
            "n_images": 5,
            "n_dives": 2,
            "validation_ap": 0.5,
        }
        for number, name in enumerate(names, start=1)
    ]
    write_tables(
        [table],
        path,
        schema=columns.schema(),
        metadata=lambda: {"schema_version": 1, "categories": categories, "precision": 0.9},
        fallback_ids=[1],
    )


@pytest.fixture(scope="session")
def servers() -> Any:
    """The module that starts servers in processes of their own; tests are no package."""
    path = Path(__file__).with_name("running_server.py")
    spec = importlib.util.spec_from_file_location("running_server", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def start_server(servers: Any) -> Iterator[Callable[..., Any]]:
    """Starts servers by verb and words; they end with the test."""
    started: list[Any] = []

    def begin(verb: str, *words: str) -> Any:
        started.append(servers.start(verb, *words))
        return started[-1]

    yield begin
    for server in started:
        server.end()


@pytest.fixture(scope="session")
def served(servers: Any, bundle_with_maps: Path) -> Iterator[Any]:
    """One server of a small bundle, with small limits, for tests that leave it as it is."""
    limits = ("--max-file-mb", "1", "--max-request-mb", "4", "--max-files", "20")
    more = ("--max-video-mb", "20", "--body-seconds", "1")
    server = servers.start("serve", str(bundle_with_maps), *limits, *more)
    yield server
    server.end()


@pytest.fixture(scope="session")
def form(servers: Any) -> Callable[..., tuple[bytes, str]]:
    """Makes a multipart body of (name, content), and its type."""
    made: Callable[..., tuple[bytes, str]] = servers.multipart
    return made
