"""Every reader of text and tables on damaged and odd inputs: an answer or one of our errors.

`FINDING_NEMO_FUZZ=2000` tries 2,000 inputs a reader; the few that run otherwise are the first of
them.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from finding_nemo import read_dataset
from finding_nemo.core.config import read_toml
from finding_nemo.core.errors import FindingNemoError
from finding_nemo.core.records import Prediction
from finding_nemo.data.datasets.dataset_forms import DATASET_FORMS
from finding_nemo.data.splits.split_csv import read_split
from finding_nemo.prediction.sources.image_sources import ImageSelection
from finding_nemo.results.prediction_formats import FORMATS
from finding_nemo.results.reading.readers import read_predictions
from finding_nemo.results.submission import read_submission
from finding_nemo.results.writers import write_predictions

_N = int(os.environ.get("FINDING_NEMO_FUZZ", "30"))
_ODD_TEXTS = (
    *("", "\0", "\r", "\n", "\t" * 50, '"', "'", ";", ",", "|", "[", "]", "{", "nan", "NaN", "-1"),
    *(
        "1e400",
        "9" * 400,
        "2147483648",
        "../x",
        "/etc/passwd",
        "C:\\x",
        "é",
        "\u202e",
        "🦀",
        "=1+1",
    ),
    *(
        "=1",
        "sep=;\n",
        "None",
        "0x10",
        "1.5",
        "[[1]]",
        "['a'",
        "0001-01-01T00:00:00+05:00",
        "\x1b[2J",
    ),
    *("9999-12-31T23:59:59-08:00", "http://[x/", "://", "$", "a" * 3000),
)
_ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 10**20, 10**400, 2**31, -0.0, float("nan"), float("inf")),
    *("", "x", "\ud800", "1", "a\0b", "é", [], {}, [1], [[1]], {"id": 1}, ["crab"]),
)

_COCO: dict[str, Any] = {
    "images": [
        {
            "id": 1,
            "file_name": "a.png",
            "width": 64,
            "height": 48,
            "coco_url": "http://h/a.png",
            "date_captured": "2014-01-02 10:00:00",
            "dive": "D1",
            "vehicle": "V",
        },
        {"id": 2, "file_name": "b.png"},
    ],
    "annotations": [{"id": 1, "image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 4]}],
    "categories": [{"id": 3, "name": "crab", "supercategory": "x"}, {"id": 4, "name": "fish"}],
}


def _predictions(path: Path, file_format: Any) -> bytes:
    import numpy as np

    rng = np.random.default_rng(0)
    rows = [
        Prediction(f"i{n}", f"{n}.png", 64, 48, None, rng.random(4, dtype=np.float32), 0.5)
        for n in range(4)
    ]
    story = {
        "schema_version": 1,
        "categories": [{"category_id": n, "n_images": 1} for n in range(4)],
    }
    write_predictions(
        rows, path, category_ids=range(4), metadata=lambda: story, file_format=file_format
    )
    return path.read_bytes()


def _damaged(content: bytes, rng: random.Random) -> bytes:
    """Return `content` with one to three faults: bits, cuts, doubled pieces, odd texts."""
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(content) + 1)
        end = min(len(content), place + rng.randint(1, 20))
        way = rng.randrange(6)
        if way == 0 and place < len(content):
            content = (
                content[:place]
                + bytes([content[place] ^ 1 << rng.randrange(8)])
                + content[place + 1 :]
            )
        elif way == 1:
            content = content[:place]
        elif way == 2:
            content = content[:place] + content[end:]
        elif way == 3:
            content = content[:end] + content[place:]
        else:
            odd = rng.choice(_ODD_TEXTS).encode()
            content = content[:place] + odd + content[place if way == 4 else end :]
    encoding = rng.choice(["", "", "", "utf-16", "utf-8-sig", "latin-1"])
    if encoding:
        try:
            content = content.decode().encode(encoding)
        except UnicodeError:
            return content
    return content


def _changed(value: Any, rng: random.Random) -> Any:
    """Return JSON with one value somewhere in it replaced, left out or said twice."""
    if isinstance(value, dict) and value and rng.random() < 0.85:
        key = rng.choice(sorted(value))
        if rng.random() < 0.1:
            return {name: entry for name, entry in value.items() if name != key}
        return {**value, key: _changed(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.85:
        place = rng.randrange(len(value))
        more = [value[place]] if rng.random() < 0.1 else []
        return [*value[:place], _changed(value[place], rng), *value[place + 1 :], *more]
    return rng.choice(_ODD_VALUES)


def _read_all(path: Path) -> None:
    for _ in ImageSelection((str(path),)).stream():
        pass


_CSV = (
    b"path,categories,dive,time,vehicle,id,url\n"
    b"a.jpg,crab;fish,D1,2014-01-02T10:00:00Z,V,i1,http://h/x/a.jpg\n"
    b"b.jpg,\"['crab', 'star']\",D2,2014:01:02 10:00:00,V,i2,\nc.jpg,\"crab, fish\",nan,,,i3,\n"
)
_IDS = b'path,categories\na.jpg,1 9\nb.jpg,"[3.0, 4.0]"\nc.jpg,2;7\n'
_TEXTS: dict[str, tuple[str, bytes, Callable[[Path], object]]] = {
    "list": ("a.txt", "a.jpg\nKöder.jpg\r\nb.png\n".encode(), _read_all),
    "csv-names": ("a.csv", _CSV, read_dataset),
    "csv-ids": (
        "a.csv",
        b'path,categories\na.jpg,1 9\nb.jpg,"[3.0, 4.0]"\nc.jpg,2;7\n',
        read_dataset,
    ),
    "split": ("s.csv", b"id,dive,part\na,D1,train\nb,D2,test\n'=c,D2,val\n", read_split),
    "submission": ("s.csv", b'id,categories,osd\na,1 9,0.5\nb,"[1.0, 9.0]",1\n', read_submission),
    "settings": ("c.toml", b'epochs = 3\nlr = 0.1\nname = "x"\n[a]\nb = [1, 2]\n', read_toml),
    "coco-bytes": ("a.json", json.dumps(_COCO).encode(), read_dataset),
}


@pytest.mark.parametrize("name", _TEXTS)
def test_readers__of_damaged_text(tmp_path: Path, name: str) -> None:
    file_name, content, read = _TEXTS[name]
    read_or_refuse(tmp_path / file_name, content, read)


def refusal(path: Path, read: Callable[[Path], object]) -> str | None:
    """Return what the reader says against a file; `None` if it is read."""
    try:
        read(path)
    except FindingNemoError as error:
        return str(error)
    return None


def read_or_refuse(path: Path, content: bytes, read: Callable[[Path], object]) -> None:
    rng = random.Random(1)  # noqa: S311 - damage, not secrets
    told = []
    for _ in range(_N):
        path.write_bytes(_damaged(content, rng))
        told.append(refusal(path, read))
    assert any(told)
    assert all(message is None or 0 < len(message) < 1000 for message in told)


@pytest.mark.parametrize("damaged", ["category_key.csv", "multilabel_classification/train.csv"])
def test_readers__of_a_damaged_folder(tmp_path: Path, damaged: str) -> None:
    texts = {
        "category_key.csv": b"id,name,supercat\n1,crab,x\n3,fish,y\n",
        "multilabel_classification/train.csv": b'id,categories\na,"[1.0, 3.0]"\nb,[3.0]\n',
    }
    (tmp_path / "multilabel_classification").mkdir()
    for name, content in texts.items():
        (tmp_path / name).write_bytes(content)
    read_or_refuse(tmp_path / damaged, texts[damaged], lambda path: read_dataset(tmp_path))


@pytest.mark.parametrize("name", DATASET_FORMS)
def test_readers__of_each_form_with_any_of_its_files_damaged(
    tmp_path: Path, name: str, smallest: Mapping[str, Callable[[Path], Path]]
) -> None:
    path = smallest[name](tmp_path)
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            content = file.read_bytes()
            read_or_refuse(file, content, lambda _: read_dataset(path))
            file.write_bytes(content)


def test_readers__of_coco_with_any_value_anywhere(tmp_path: Path) -> None:
    rng = random.Random(2)  # noqa: S311 - damage, not secrets
    path = tmp_path / "a.json"
    for _ in range(_N):
        content = _COCO
        for _ in range(rng.randint(1, 2)):
            content = _changed(content, rng)
        path.write_text(json.dumps(content))
        told = refusal(path, _read_and_look)
        assert told is None or str(path) in told


_OF_TOOLS: dict[str, Any] = {
    "ifdo": {
        "image-set-header": {
            "image-event": {"name": "D1"},
            "image-latitude": 36.5,
            "image-longitude": -122.25,
            "image-annotation-labels": [{"id": "1", "name": "Crab"}],
            "image-annotation-creators": [{"id": "a", "name": "Ada", "type": "expert"}],
        },
        "image-set-items": {
            "a.png": {
                "image-datetime": "2015-05-01 10:00:01.0",
                "image-altitude-meters": -900.5,
                "image-annotations": [
                    {
                        "shape": "rectangle",
                        "coordinates": [[1, 2, 4, 2, 4, 6, 1, 6]],
                        "labels": [{"label": "1", "annotator": "a"}],
                    }
                ],
            },
            "b.png": [{"image-annotations": []}],
        },
    },
    "label-studio": [
        {
            "id": 1,
            "data": {"image": "https://h/a.png", "dive": "D1", "depth_m": 9},
            "annotations": [
                {
                    "was_cancelled": False,
                    "result": [
                        {
                            "type": "rectanglelabels",
                            "original_width": 64,
                            "original_height": 48,
                            "value": {
                                **{"x": 1, "y": 2, "width": 3, "height": 4, "rotation": 5},
                                "rectanglelabels": ["Crab"],
                            },
                        }
                    ],
                }
            ],
            "predictions": [{"result": [{"value": {"choices": ["Fish"]}}]}],
        },
        {"image": "b.png", "annotation_id": 1, "choice": "Crab", "boxes": [{"labels": ["Eel"]}]},
    ],
    "fathomnet-api": [
        {
            **{"uuid": "u", "url": "https://h/a.png", "width": 64, "height": 48},
            **{"depthMeters": 9, "latitude": 1.0, "longitude": 2.0},
            "timestamp": "2015-05-01T10:00:01Z",
            "boundingBoxes": [
                {"concept": "Crab", "x": 1, "y": 2, "width": 3, "height": 4, "rejected": False}
            ],
        }
    ],
    "vars": [
        {
            **{"concept": "Crab", "observation_uuid": "o", "video_reference_uuid": "v"},
            "recorded_timestamp": "2015-05-01T10:00:01Z",
            "ancillary_data": {"depth_meters": 9, "latitude": 1.0, "longitude": 2.0},
            "image_references": [{"url": "https://h/a.png", "uuid": "r", "width_pixels": 64}],
            "associations": [
                {
                    "link_name": "bounding box",
                    "link_value": '{"x": 1, "y": 2, "width": 3, "height": 4}',
                }
            ],
        }
    ],
}


@pytest.mark.parametrize("form", _OF_TOOLS)
def test_readers__of_tools_with_any_value_anywhere(tmp_path: Path, form: str) -> None:
    rng = random.Random(4)  # noqa: S311 - damage, not secrets
    path = tmp_path / "a.json"
    for _ in range(_N):
        content = _OF_TOOLS[form]
        for _ in range(rng.randint(1, 2)):
            content = _changed(content, rng)
        path.write_text(json.dumps(content))
        message = refusal(path, _read_and_look)
        assert message is None or str(path) in message


def _read_and_look(path: Path) -> None:
    dataset = read_dataset(path)
    assert all(isinstance(record.image_id, str) for record in dataset.records)
    assert all(0 <= number < 2**31 for number in dataset.categories.ids)
    for text in [*dataset.categories.names, *(record.dive or "" for record in dataset.records)]:
        text.encode()


@pytest.mark.parametrize("file_format", [n for n, each in FORMATS.items() if each.reader])
def test_readers__of_damaged_predictions(tmp_path: Path, file_format: str) -> None:
    path = tmp_path / f"p{FORMATS[file_format].suffixes[0]}"
    read_or_refuse(path, _predictions(path, file_format), read_predictions)


def test_readers__of_predictions_with_any_value_anywhere(tmp_path: Path) -> None:
    rng = random.Random(3)  # noqa: S311 - damage, not secrets
    path = tmp_path / "p.jsonl"
    rows = [json.loads(line) for line in _predictions(path, "jsonl").splitlines()]
    for _ in range(_N):
        changed = _changed(rows, rng)
        lines = changed if isinstance(changed, list) else [changed]
        path.write_text("\n".join(map(json.dumps, lines)))
        told = refusal(path, read_predictions)
        assert told is None or str(path) in told
