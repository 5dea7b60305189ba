"""Fixtures that more than one file of tests uses."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dive_rows import DiveFiles
from drawn_bundle import write_small_bundle
from finding_nemo import read_dataset, split_by_dive
from finding_nemo.adaptation.adapt_dive import Dive
from finding_nemo.adaptation.covariance import DiveFrames, unit_rows
from finding_nemo.adaptation.simulate_reviews import TrueDive, no_labels
from finding_nemo.core.records import Dataset, Prediction, Split
from finding_nemo.results.columns import to_table
from finding_nemo.results.schema import Columns
from finding_nemo.results.writers import write_tables
from smallest_datasets import SMALLEST

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


@pytest.fixture
def smallest() -> Mapping[str, Callable[[Path], Path]]:
    """From a form's name to what writes its smallest data set, an image "a" with a "Crab"."""
    return SMALLEST


@pytest.fixture
def heeds_ctrl_c() -> Iterator[None]:
    """Let Ctrl-C reach the test and what it starts: a shell's background jobs ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


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


@pytest.fixture(scope="session")
def dive_files() -> DiveFiles:
    """What writes rows and predictions files by hand."""
    return DiveFiles()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The system's chromium, without a window, driven by playwright; skips where it is missing.

    Of a module, for while playwright runs, its event loop runs too, and asyncio starts no other.
    """
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
