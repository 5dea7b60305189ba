"""Images in a store, read through a server on this machine that speaks S3."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from moto.server import ThreadedMotoServer

from finding_nemo import read_predictions
from finding_nemo.core.errors import DatasetError
from finding_nemo.models.bundle.bundle import load_bundle
from finding_nemo.prediction.run.predict_to_file import predict_to_file
from finding_nemo.prediction.sources.image_sources import ImageSelection


@pytest.fixture(scope="module")
def bucket(many_frames: Path) -> Iterator[str]:
    """A bucket that holds a few frames."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "nobody")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        store = fsspec.filesystem("s3")
        store.mkdir("frames")
        for path in sorted(many_frames.rglob("10?.png")):
            store.put_file(str(path), f"frames/{path.relative_to(many_frames)}")
        yield "s3://frames"
    server.stop()


def test_bucket__gives_the_rows_of_the_folder(
    bucket: str, small_bundle: Path, many_frames: Path, tmp_path: Path
) -> None:
    bundle = load_bundle(small_bundle)
    remote, local = tmp_path / "remote.parquet", tmp_path / "local.parquet"
    predict_to_file(bundle, ImageSelection((bucket,)), remote)
    predict_to_file(bundle, ImageSelection((f"{many_frames}/*/10?.png",)), local)
    found, expected = read_predictions(remote), read_predictions(local)
    assert [path.replace(bucket, str(many_frames)) for path in found.paths] == list(expected.paths)
    assert len(found) == 20
    assert found.failures == expected.failures
    assert found.failures.count("is empty (0 bytes)") == 1
    assert found.vector is not None
    assert expected.vector is not None
    assert found.vector.tobytes() == expected.vector.tobytes()


def test_bucket__patterns_files_and_what_is_gone(bucket: str) -> None:
    names = [
        image.path
        for image in ImageSelection((f"{bucket}/*/101.png", f"{bucket}/dive0/105.png")).stream()
    ]
    assert names == [
        f"{bucket}/dive0/101.png",
        f"{bucket}/dive1/101.png",
        f"{bucket}/dive0/105.png",
    ]


def test_bucket__is_found_after_another_store_was_asked(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [image.path for image in ImageSelection((bucket,)).stream()]
    with monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        patch.setenv("AWS_MAX_ATTEMPTS", "1")
        with pytest.raises(DatasetError, match="is not read"):
            list(ImageSelection((bucket,)).stream())
    assert [image.path for image in ImageSelection((bucket,)).stream()] == before
