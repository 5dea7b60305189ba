"""A bundle's files: their hashes, who may read them, and bundles of earlier versions."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from finding_nemo.core.errors import BundleError, SettingsError
from finding_nemo.core.provenance import hash_file
from finding_nemo.models.bundle.bundle import (
    NOT_VERIFIED,
    bundle_hash,
    list_files,
    load_bundle,
    unlist_files,
    write_bundle,
)
from finding_nemo.models.inference.open_bundle_network import InferenceOptions, open_bundle_network
from finding_nemo.prediction.predictor import Predictor

FILES = ("weights.safetensors", "novelty.safetensors", "model.onnx")


@pytest.fixture
def folder(small_bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_bundle, tmp_path / "bundle"))


def said_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
    return content


def test_files__are_listed_with_hash_and_size(folder: Path) -> None:
    files = said_of(folder)["files"]
    assert set(files) == set(FILES)
    for name in FILES:
        assert files[name] == {
            "sha256": hash_file(folder / name),
            "n_bytes": (folder / name).stat().st_size,
        }


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("place", [0, -1])
def test_one_flipped_bit__is_found_on_opening(folder: Path, name: str, place: int) -> None:
    content = bytearray((folder / name).read_bytes())
    content[place] ^= 4
    (folder / name).write_bytes(content)
    with pytest.raises(BundleError, match=rf"{name} cannot be read: it was damaged or changed"):
        load_bundle(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_alone_has_no_hash__is_refused(folder: Path, name: str) -> None:
    content = said_of(folder)
    del content["files"][name]
    (folder / "bundle.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(BundleError, match=f"has no hash of {name}"):
        load_bundle(folder)


def test_a_file_changed_after_opening__is_found_when_it_is_read(folder: Path) -> None:
    bundle = load_bundle(folder)
    (folder / "model.onnx").write_bytes(b"another")
    (folder / "novelty.safetensors").write_bytes(b"another")
    with pytest.raises(BundleError, match=r"model\.onnx cannot be read: it was damaged"):
        open_bundle_network(bundle)
    with pytest.raises(BundleError, match=r"novelty\.safetensors cannot be read: it was damaged"):
        _ = bundle.novelty


def test_the_hash_of_a_bundle__does_not_depend_on_the_list(folder: Path) -> None:
    before = bundle_hash(folder)
    content = said_of(folder)
    del content["files"]
    (folder / "bundle.json").write_text(json.dumps(content), encoding="utf-8")
    assert bundle_hash(folder) == before


def test_a_bundle_of_an_earlier_version__opens_and_says_that_it_is_not_verified(
    folder: Path, tiny_folder: Path
) -> None:
    now = [row.probabilities for row in Predictor(folder).predict([str(tiny_folder)])]
    content = said_of(folder)
    del content["files"]
    content["settings"] = {"loss": "mean-bce", "of_old": [1]}  # what was recorded and not read
    (folder / "bundle.json").write_text(json.dumps(content), encoding="utf-8")
    predictor = Predictor(folder)
    assert predictor.postprocessor is not None
    assert predictor.postprocessor.notices[0] == NOT_VERIFIED
    found = [row.probabilities for row in predictor.predict([str(tiny_folder)])]
    np.testing.assert_array_equal(np.stack(found), np.stack(now))  # type: ignore[arg-type]
    assert NOT_VERIFIED not in Predictor(write_again(folder)).postprocessor.notices  # type: ignore[union-attr]


def write_again(folder: Path) -> Path:
    bundle = load_bundle(folder)
    network = (folder / "model.onnx").read_bytes()
    out = folder.parent / "again"
    write_bundle(out, bundle.manifest, weights={}, novelty={}, network=network)
    return out


def test_a_file_that_is_written_anew__is_not_listed_until_it_is_whole(folder: Path) -> None:
    int8 = folder / "model.int8.onnx"
    shutil.copyfile(folder / "model.onnx", int8)
    bundle = load_bundle(folder)
    assert not bundle.holds_int8
    with pytest.raises(SettingsError, match=r"holds no model\.int8\.onnx"):
        open_bundle_network(bundle, InferenceOptions("int8"))
    listed = list_files(bundle, "model.int8.onnx", "exports.json")
    assert listed.holds_int8
    assert load_bundle(folder).manifest == listed.manifest
    assert "exports.json" not in listed.manifest.files
    stopped = unlist_files(listed, "model.int8.onnx")
    int8.write_bytes(b"half")
    assert not load_bundle(folder).holds_int8
    assert load_bundle(folder).manifest == stopped.manifest


def test_int8_of_an_earlier_version__is_held(folder: Path) -> None:
    content = said_of(folder)
    del content["files"]
    (folder / "bundle.json").write_text(json.dumps(content), encoding="utf-8")
    shutil.copyfile(folder / "model.onnx", folder / "model.int8.onnx")
    bundle = load_bundle(folder)
    assert bundle.holds_int8
    assert list_files(bundle, "model.int8.onnx").manifest.files == {}


@pytest.fixture(params=[0o022, 0o027, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
def test_files__may_be_read_by_whom_the_umask_lets(folder: Path, umask: int) -> None:
    bundle = load_bundle(folder)
    out = write_again(folder)
    list_files(load_bundle(out), "exports.json")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()}
    assert modes == dict.fromkeys([*FILES, "bundle.json", "MODEL_CARD.md"], 0o666 & ~umask)
    assert stat.S_IMODE(out.stat().st_mode) == 0o777 & ~umask
    assert bundle_hash(out) == bundle_hash(bundle.path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read__is_one_message(folder: Path) -> None:
    (folder / "model.onnx").chmod(0)
    with pytest.raises(BundleError, match=r"model\.onnx cannot be read: Permission denied"):
        load_bundle(folder)


def test_a_pipe_in_a_files_place__is_refused_at_once(folder: Path) -> None:
    (folder / "model.int8.onnx").unlink(missing_ok=True)
    os.mkfifo(folder / "model.int8.onnx")
    with pytest.raises(BundleError, match="no regular file"):
        load_bundle(folder)
