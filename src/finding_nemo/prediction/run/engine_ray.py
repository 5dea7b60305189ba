"""Predict parts on a Ray cluster: Ray Data, one actor a worker.

Workers are given the bundle and the plan through Ray's object store, and give back the rows of
each part; nothing but the images themselves must be reachable from every machine. A part is
predicted as the local engine does it, batch for batch, so its rows are the same. Ray repeats the
parts of a worker that died on another one.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa

from finding_nemo.core.errors import EngineError, MissingExtraError
from finding_nemo.core.extras import install_hint
from finding_nemo.core.files.input_limits import InputLimits
from finding_nemo.core.provenance import package_version
from finding_nemo.core.reporter import Reporter
from finding_nemo.models.bundle.bundle import Bundle, load_bundle
from finding_nemo.models.bundle.bundle_files import HASHED, MANIFEST, read_file_of
from finding_nemo.models.inference.open_bundle_network import InferenceOptions
from finding_nemo.prediction.rank_answers import Ranks
from finding_nemo.prediction.run.chunked_run import ChunkRows, ChunkWork
from finding_nemo.prediction.run.engine_local import predict_chunks, predictor_for
from finding_nemo.prediction.run.run_plan import Plan, PlanSize
from finding_nemo.results.schema import Columns

Batch = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RayEngine:
    """An engine that predicts on the Ray cluster of this process, or starts one here.

    Attributes:
        workers: How many; `None`: one for each core of the cluster.
        reporter: Told what was chosen.
    """

    workers: int | None = None
    reporter: Reporter = field(default_factory=Reporter)

    def __call__(self, work: ChunkWork, chunks: Sequence[int]) -> Iterator[ChunkRows]:
        """Yield the rows of each of `chunks`, as workers finish them.

        Raises:
            MissingExtraError: If Ray is not installed.
        """
        if not chunks:
            return
        with _cluster() as ray:
            workers = min(self.workers or _cores(ray), len(chunks))
            self.reporter.message(
                f"Ray: {workers} workers with one core each, of {_cores(ray)} cores on "
                f"{len(ray.nodes())} machines."
            )
            yield from _predict_there(ray, work, chunks, workers)


def _predict_there(
    ray: Any,  # noqa: ANN401 - Ray is optional
    work: ChunkWork,
    chunks: Sequence[int],
    workers: int,
) -> Iterator[ChunkRows]:
    # These must stay alive here: a worker that is started again asks for them again.
    files = ray.put(_files_of(work.bundle))
    plan = ray.put(np.frombuffer(work.plan.to_bytes(), dtype=np.uint8))
    items = [{"part": chunk} for chunk in chunks]
    rows = ray.data.from_items(items, override_num_blocks=len(items)).map_batches(
        _Worker,
        fn_constructor_args=(
            [files, plan],
            work.size,
            work.columns,
            (work.precision, work.ranks),
            work.network,
            package_version(),
            work.limits,
        ),
        batch_size=1,
        num_cpus=1,
        compute=ray.data.ActorPoolStrategy(size=workers),
    )
    done = failures = 0
    n_images = sum(work.size.rows_in(chunk) for chunk in chunks)
    try:
        for row in rows.iter_rows():
            table = pa.ipc.open_stream(row["rows"]).read_all()
            done += len(table)
            failures += len(table) - table.column("failure").null_count
            work.progress(done, n_images, failures)
            yield int(row["part"]), table
    except ray.exceptions.RayError as error:
        raise EngineError(
            f"Ray's workers cannot go on: {_last_line(error)} What was finished is kept; the same "
            "command goes on."
        ) from error


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


class _Worker:
    """One worker: a bundle in a folder of its own, loaded once."""

    def __init__(
        self,
        references: Sequence[Any],
        size: PlanSize,
        columns: Columns,
        naming: tuple[float, Ranks],
        network: InferenceOptions,
        version: str,
        limits: InputLimits,
    ) -> None:
        import ray

        if package_version() != version:
            raise EngineError(
                f"A worker has finding-nemo {package_version()} and the command {version}. "
                "Install one version on all machines."
            )
        files, self._plan_bytes = ray.get(list(references))
        self._folder = TemporaryDirectory(prefix="finding-nemo-")
        for name, content in files.items():
            (Path(self._folder.name) / name).write_bytes(content)
        self._work = ChunkWork(
            bundle=load_bundle(self._folder.name),
            plan=Plan(pa.py_buffer(self._plan_bytes)),
            size=size,
            columns=columns,
            precision=naming[0],
            ranks=naming[1],
            network=network,
            limits=limits,
        )
        self._predictor = predictor_for(self._work, threads=1)

    def __call__(self, batch: Batch) -> Batch:
        """Return the rows of one part, as bytes."""
        numbers = [int(chunk) for chunk in batch["part"]]
        streams = []
        for _, rows in predict_chunks(self._work, numbers, self._predictor):
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, rows.schema) as writer:
                writer.write_table(rows)
            streams.append(sink.getvalue().to_pybytes())
        return {"part": numbers, "rows": streams}


def _files_of(bundle: Bundle) -> dict[str, bytes]:
    """Return what the bundle itself is; what else lies in its folder stays here."""
    folder, files = bundle.path, bundle.manifest.files
    names = [name for name in (MANIFEST, *HASHED) if (folder / name).is_file()]
    return {name: read_file_of(folder, name, files) for name in names}


def _cores(ray: Any) -> int:  # noqa: ANN401 - Ray is optional
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


@contextmanager
def _cluster() -> Iterator[Any]:
    """Yield Ray, connected; what is started here is stopped here."""
    # Ray's own log says that workers' arguments must stay alive; here they do.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Ray warns of its own settings
            import ray
            import ray.data

            ray.data.DataContext.get_current().enable_progress_bars = False
    except ImportError as error:
        raise MissingExtraError(
            f"The engine ray needs Ray Data ({error}). {install_hint('cluster')}"
        ) from None
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    was_there = ray.is_initialized()
    if not was_there:
        _start(ray)
    try:
        yield ray
    finally:
        if not was_there:
            ray.shutdown()


def _start(ray: Any) -> None:  # noqa: ANN401 - Ray is optional
    try:
        ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:  # what Ray raises where a node does not start has no class
        where = os.environ.get("RAY_ADDRESS") or "a cluster of this machine alone"
        raise EngineError(
            f"Ray could not start or reach {where}: {_last_line(error)} Is the machine very busy, "
            "or the address wrong? Try again, or leave --engine ray out: `--shard I/N` and `merge` "
            "divide the work without Ray."
        ) from error
