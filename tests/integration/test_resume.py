"""A run stopped in any way goes on with the same command, to the same file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from finding_nemo import read_predictions
from finding_nemo.cli.main import app
from finding_nemo.core.errors import (
    NoSpaceError,
    OtherRunError,
    OutputError,
    OutputExistsError,
    SettingsError,
)
from finding_nemo.core.files.atomic_files import rename_durably
from finding_nemo.core.reporter import Reporter
from finding_nemo.models.bundle.bundle import load_bundle
from finding_nemo.models.inference.onnxruntime_network import GPU_BATCH
from finding_nemo.prediction.predictor import BATCH_SIZE
from finding_nemo.prediction.run.chunked_run import ChunkRows, ChunkWork, Engine, Shard, parse_shard
from finding_nemo.prediction.run.engine_local import predict_here
from finding_nemo.prediction.run.predict_to_file import predict_to_file
from finding_nemo.prediction.run.run_plan import ROWS_IN_CHUNK
from finding_nemo.prediction.sources.image_sources import ImageSelection
from finding_nemo.results.chunk_store import ChunkStore
from finding_nemo.results.content_hash import content_hash
from finding_nemo.results.merge_shards import merge_shards
from finding_nemo.results.summary import PredictionSummary


def run(bundle: Path, frames: Path, out: Path, **options: Any) -> PredictionSummary:
    selection = options.pop("selection", ImageSelection((str(frames),)))
    return predict_to_file(load_bundle(bundle), selection, out, **options)


@pytest.fixture(scope="module")
def small_bundle(bundle_with_maps: Path) -> Path:
    """The one whose rows hold all that a row can hold."""
    return bundle_with_maps


@pytest.fixture(scope="module")
def whole(small_bundle: Path, many_frames: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Predictions of a run that nobody stopped."""
    out = tmp_path_factory.mktemp("whole") / "p.parquet"
    run(small_bundle, many_frames, out)
    return out


def stopping_after(n_chunks: int, error: BaseException) -> tuple[Engine, list[int]]:
    """Return an engine that raises after some parts, and the list of parts that it began."""
    begun: list[int] = []

    def engine(work: ChunkWork, chunks: Sequence[int]) -> Iterator[ChunkRows]:
        begun.extend(chunks)
        for done, rows in enumerate(predict_here(work, chunks)):
            if done == n_chunks:
                raise error
            yield rows

    return engine, begun


def test_part__holds_whole_batches() -> None:
    assert ROWS_IN_CHUNK % BATCH_SIZE == ROWS_IN_CHUNK % GPU_BATCH == 0


def test_rows__are_in_order_with_failures_in_their_place(whole: Path, many_frames: Path) -> None:
    table = read_predictions(whole)
    assert len(table) == 600
    assert list(table.paths) == sorted(str(path) for path in many_frames.rglob("*.png"))
    failed = [path for path, failure in zip(table.paths, table.failures, strict=True) if failure]
    assert [Path(path).name for path in failed] == ["100.png", "007.png"]
    assert table.failures[100] == "is empty (0 bytes)"
    assert table.vector is not None
    assert len({row.tobytes() for row in table.vector if row[0] == row[0]}) == 598
    # 000.png stands in both folders, 300.png in one.
    assert table.image_ids[0] == table.paths[0]
    assert table.image_ids[300] == "300"


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), RuntimeError("power cut")])
def test_stopped_run__goes_on_with_the_same_command(
    small_bundle: Path, many_frames: Path, whole: Path, tmp_path: Path, stop: BaseException
) -> None:
    out = tmp_path / "p.parquet"
    engine, _ = stopping_after(1, stop)
    with pytest.raises(type(stop)):
        run(small_bundle, many_frames, out, engine=engine)
    assert not out.exists()
    watched, begun = stopping_after(99, stop)
    said: list[str] = []
    summary = run(small_bundle, many_frames, out, engine=watched, reporter=Reporter(said.append))
    assert begun == [1, 2]
    assert "1 of 3 parts are done already." in said
    assert summary.content_sha256 == content_hash(out) == content_hash(whole)
    assert (summary.n_images, summary.n_failed) == (600, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["p.parquet"]


def test_stopped_run__keeps_the_images_that_it_listed(
    small_bundle: Path, many_frames: Path, tmp_path: Path
) -> None:
    out, frames = tmp_path / "p.parquet", tmp_path / "frames"
    frames.mkdir()
    for number, source in enumerate(sorted(many_frames.rglob("*.png"))[:300]):
        (frames / f"{number:04d}.png").symlink_to(source)
    engine, _ = stopping_after(1, RuntimeError("stop"))
    with pytest.raises(RuntimeError):
        run(small_bundle, frames, out, engine=engine)
    (frames / "0000a.png").symlink_to(sorted(many_frames.rglob("*.png"))[400])
    assert run(small_bundle, frames, out).n_images == 300


def test_other_command__is_refused_or_begins_anew(
    small_bundle: Path, many_frames: Path, tmp_path: Path
) -> None:
    out = tmp_path / "p.parquet"
    engine, _ = stopping_after(1, RuntimeError("stop"))
    with pytest.raises(RuntimeError):
        run(small_bundle, many_frames, out, engine=engine)
    with pytest.raises(OtherRunError, match="vector was True.*--overwrite"):
        run(small_bundle, many_frames, out, with_vector=False)
    watched, begun = stopping_after(99, RuntimeError("stop"))
    said: list[str] = []
    options = {
        "with_vector": False,
        "overwrite": True,
        "engine": watched,
        "reporter": Reporter(said.append),
    }
    run(small_bundle, many_frames, out, **options)
    assert begun == [0, 1, 2]
    assert any(words.startswith("Beginning anew") for words in said)
    with pytest.raises(OutputExistsError, match="exists already"):
        run(small_bundle, many_frames, out)


def test_two_processes__may_not_write_one_file(
    small_bundle: Path, many_frames: Path, tmp_path: Path
) -> None:
    out = tmp_path / "p.parquet"
    with (
        ChunkStore(out).held(),
        pytest.raises(OtherRunError, match="Another process is writing"),
    ):
        run(small_bundle, many_frames, out)


def test_full_disk__is_one_message_and_the_run_goes_on(
    small_bundle: Path,
    many_frames: Path,
    whole: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "p.parquet"
    honest = ChunkStore.write_chunk

    def full_at_two(self: ChunkStore, chunk: int, rows: pa.Table) -> None:
        if chunk == 2:
            monkeypatch.setattr("pyarrow.parquet.write_table", raise_full)
        honest(self, chunk, rows)

    def raise_full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ChunkStore, "write_chunk", full_at_two)
    with pytest.raises(NoSpaceError, match="make room and run the same command again"):
        run(small_bundle, many_frames, out)
    monkeypatch.undo()
    watched, begun = stopping_after(99, RuntimeError("stop"))
    run(small_bundle, many_frames, out, engine=watched)
    assert begun == [2]
    assert content_hash(out) == content_hash(whole)


def test_stop_at_any_step_of_the_end__is_made_good(
    small_bundle: Path,
    many_frames: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "p.csv"
    frames = tmp_path / "frames"
    frames.mkdir()
    for source in sorted(many_frames.rglob("2*.png"))[:20]:
        (frames / source.name).symlink_to(source)
    expected = run(small_bundle, frames, out, file_format="csv")
    text = out.read_text()
    n_steps = 0
    while True:
        out.unlink(missing_ok=True)
        (tmp_path / "p.csv.provenance.json").unlink(missing_ok=True)
        with monkeypatch.context() as patch:
            stop_at_step(n_steps, patch)
            try:
                run(small_bundle, frames, out, file_format="csv")
            except KeyboardInterrupt:
                n_steps += 1
            else:
                break
        if not out.exists() or (tmp_path / ".p.csv.parts/finished.json").exists():
            summary = run(small_bundle, frames, out, file_format="csv")
            assert summary == expected
        elif (tmp_path / ".p.csv.parts").exists():  # stopped before its last two steps
            with pytest.raises(OutputExistsError):
                run(small_bundle, frames, out, file_format="csv")
        assert out.read_text() == text
        names = sorted(path.name for path in tmp_path.iterdir())
        assert names == ["frames", "p.csv", "p.csv.provenance.json"]
    assert n_steps > 15


def stop_at_step(number: int, patch: pytest.MonkeyPatch) -> None:
    """Raise Ctrl-C at the step `number` of those that change what is on the disk."""
    steps = {"left": number}

    def stopping(function: Any) -> Any:
        def step(*values: Any, **options: Any) -> Any:
            if steps["left"] == 0:
                steps["left"] = -1
                raise KeyboardInterrupt
            steps["left"] -= 1
            return function(*values, **options)

        return step

    patch.setattr("finding_nemo.core.files.atomic_files.os.replace", stopping(os.replace))
    patch.setattr("finding_nemo.results.chunk_store.shutil.rmtree", stopping(shutil.rmtree))
    patch.setattr(Path, "unlink", stopping(Path.unlink))
    patch.setattr(Path, "rmdir", stopping(Path.rmdir))
    patch.setattr("finding_nemo.results.chunk_store.rename_durably", stopping(rename_durably))


def test_damaged_part__is_removed_and_repeated(
    small_bundle: Path, many_frames: Path, whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "p.parquet"
    engine, _ = stopping_after(2, RuntimeError("stop"))
    with pytest.raises(RuntimeError):
        run(small_bundle, many_frames, out, engine=engine)
    ChunkStore(out).chunk_path(0).write_bytes(b"PAR1 not really")
    with pytest.raises(OutputError, match="was damaged and is removed"):
        run(small_bundle, many_frames, out)
    run(small_bundle, many_frames, out)
    assert content_hash(out) == content_hash(whole)


def test_shards__merge_to_the_whole(
    small_bundle: Path, many_frames: Path, whole: Path, tmp_path: Path
) -> None:
    shards = [tmp_path / f"{number}.parquet" for number in (1, 2)]
    for number, path in enumerate(shards, start=1):
        run(small_bundle, many_frames, path, shard=Shard(number, 2))
    summary = merge_shards(shards[::-1], tmp_path / "all.parquet")
    assert summary.content_sha256 == content_hash(tmp_path / "all.parquet") == content_hash(whole)
    assert summary.n_failed == 2
    merged, expected = (read_predictions(path) for path in (tmp_path / "all.parquet", whole))
    assert merged.image_ids == expected.image_ids
    assert merged.metadata["failures"] == expected.metadata["failures"]
    assert merged.metadata["categories"] == expected.metadata["categories"]
    assert merged.metadata["maps"] == expected.metadata["maps"]
    assert pq.read_table(whole, columns=["maps"]).column("maps").null_count == 2


def test_merge__refuses_what_is_incomplete_or_does_not_belong_together(
    small_bundle: Path, many_frames: Path, whole: Path, tmp_path: Path
) -> None:
    first, second, other = (tmp_path / f"{name}.parquet" for name in "abc")
    run(small_bundle, many_frames, first, shard=Shard(1, 2))
    run(small_bundle, many_frames, second, shard=Shard(2, 2))
    run(small_bundle, many_frames / "dive0", other, shard=Shard(2, 2))
    out = tmp_path / "all.parquet"
    with pytest.raises(SettingsError, match="shard 2 of 2 is missing"):
        merge_shards([first], out)
    copy = shutil.copy(first, tmp_path / "copy.parquet")
    with pytest.raises(SettingsError, match="shard 1 of 2 is there twice"):
        merge_shards([first, second, Path(copy)], out)
    with pytest.raises(SettingsError, match="not of the same run: inputs_sha256"):
        merge_shards([first, other], out)
    assert not out.exists()
    with pytest.raises(SettingsError, match="merge writes the other formats"):
        run(small_bundle, many_frames, out, shard=Shard(1, 2), file_format="csv")


def test_empty_shard__is_a_whole_file_that_merges(
    small_bundle: Path, many_frames: Path, whole: Path, tmp_path: Path
) -> None:
    """A job array of more shards than there are parts of 256 images: none of its jobs fails."""
    n_chunks = -(-pq.read_metadata(whole).num_rows // ROWS_IN_CHUNK)
    count = n_chunks + 2
    files = [tmp_path / f"{number}.parquet" for number in range(1, count + 1)]
    said = []
    for number, out in enumerate(files, start=1):
        words = ("predict", small_bundle, many_frames, "--shard", f"{number}/{count}", "--out", out)
        done = CliRunner().invoke(app, list(map(str, words)))
        assert done.exit_code == 0, done.output
        said.append(done.output)
    rows = [pq.read_metadata(out).num_rows for out in files]
    assert rows.count(0) == 2
    for n_rows, words_out, out in zip(rows, said, files, strict=True):
        assert ("This shard has no image" in words_out.replace("\n", " ")) == (n_rows == 0)
        assert read_predictions(out).image_ids is not None
        checked = CliRunner().invoke(app, ["validate", str(out)])
        assert checked.exit_code == 0, checked.output
    summary = merge_shards(files, tmp_path / "all.parquet")
    assert summary.content_sha256 == content_hash(whole)


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "a/b", "-1/2", "1/0"])
def test_shard__must_be_i_of_n(text: str) -> None:
    with pytest.raises(SettingsError, match="is no shard; write i/n"):
        parse_shard(text)


def test_shards__share_all_parts_whatever_their_number() -> None:
    for n_chunks in range(12):
        for count in range(1, 6):
            shares = [list(Shard(k + 1, count).chunks(n_chunks)) for k in range(count)]
            assert list(chain(*shares)) == list(range(n_chunks))
            assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_killed_process__goes_on_to_the_same_file(small_bundle: Path, many_frames: Path) -> None:
    script = Path(__file__).parents[2] / "benchmarks/stops.py"
    command = [sys.executable, str(script), str(small_bundle), str(many_frames), "--kills", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ", equal" in done.stdout


def test_command_line__reads_stdin_takes_shards_and_merges(
    small_bundle: Path, many_frames: Path, whole: Path, tmp_path: Path
) -> None:
    lines = "".join(f"{path}\n" for path in sorted(many_frames.rglob("*.png"))).encode()
    shards = [str(tmp_path / f"{number}.parquet") for number in (1, 2)]
    runner = CliRunner()
    for number, out in enumerate(shards, start=1):
        arguments = ["predict", str(small_bundle), "-", "--out", out, "--shard", f"{number}/2"]
        done = runner.invoke(app, arguments, input=lines)
        assert done.exit_code == 0, done.output
    merged = str(tmp_path / "all.parquet")
    done = runner.invoke(app, ["merge", *shards, "--out", merged])
    assert done.exit_code == 0, done.output
    assert f"content sha256 {content_hash(whole)}" in done.stdout


@pytest.mark.parametrize(
    "wrong", [["--shard", "3/2"], ["--every", "soon"], ["--engine", "no"], ["--format", "no"]]
)
def test_command_line__says_that_an_option_is_wrong(
    small_bundle: Path, many_frames: Path, tmp_path: Path, wrong: list[str]
) -> None:
    out = str(tmp_path / "p.parquet")
    arguments = ["predict", str(small_bundle), str(many_frames), "--out", out, *wrong]
    assert CliRunner().invoke(app, arguments).exit_code == 2
    assert list(tmp_path.iterdir()) == []
