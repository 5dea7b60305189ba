"""Predict images into a file, with its provenance."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from finding_nemo.core.errors import SettingsError
from finding_nemo.core.files.input_limits import USUAL_LIMITS, InputLimits
from finding_nemo.core.files.output_checks import check_output_file
from finding_nemo.core.names.inference_names import RUNTIMES, device_kind
from finding_nemo.core.provenance import package_version, run_provenance
from finding_nemo.core.reporter import Reporter
from finding_nemo.models.bundle.bundle import Bundle, bundle_hash
from finding_nemo.models.bundle.training_split import training_split_metadata
from finding_nemo.models.inference.open_bundle_network import (
    DEFAULT_INFERENCE,
    InferenceOptions,
    choose_for_bundle,
)
from finding_nemo.prediction.guess_maps import maps_metadata
from finding_nemo.prediction.postprocess import PRECISION, PostProcessor
from finding_nemo.prediction.predictor import Predictor
from finding_nemo.prediction.rank_answers import Ranks
from finding_nemo.prediction.run.chunked_run import (
    ChunkWork,
    Engine,
    RunState,
    Shard,
    begin_or_go_on,
    finished_rows,
    predict_missing,
)
from finding_nemo.prediction.run.engine_local import predict_here
from finding_nemo.prediction.run.run_plan import Plan, listing_hash
from finding_nemo.prediction.run.uncertainty_metadata import (
    evidence_of,
    origin_of,
    uncertainty_metadata,
)
from finding_nemo.prediction.sources.image_sources import ImageInput, ImageSelection
from finding_nemo.results.chunk_store import ChunkStore
from finding_nemo.results.merge_shards import most_frequent_first
from finding_nemo.results.prediction_formats import (
    DEFAULT_FORMAT,
    FORMATS,
    Format,
    check_format,
    choose_format,
)
from finding_nemo.results.schema import (
    SCHEMA_VERSION,
    USUAL_SPREADSHEET,
    Columns,
    SpreadsheetLayout,
)
from finding_nemo.results.summary import PredictionSummary
from finding_nemo.results.whole_file import SURVEYED, surveyed, with_ranks
from finding_nemo.results.writers import write_tables

WHOLE_RUN = Shard()


def predict_to_file(  # noqa: PLR0913 - each is one option of the command, and has a default
    bundle: Bundle,
    inputs: ImageSelection | Sequence[ImageInput],
    out: Path,
    *,
    file_format: Format | None = None,
    with_vector: bool = True,
    with_embedding: bool = False,
    shard: Shard = WHOLE_RUN,
    engine: Engine = predict_here,
    overwrite: bool = False,
    precision: float = PRECISION,
    reporter: Reporter | None = None,
    network: InferenceOptions = DEFAULT_INFERENCE,
    limits: InputLimits = USUAL_LIMITS,
    layout: SpreadsheetLayout = USUAL_SPREADSHEET,
    with_maps: bool = True,
    ranks: Ranks = False,
) -> PredictionSummary:
    """Predict `inputs` into `out`, one row an image, in order.

    A run that was stopped goes on when it is called again with the same arguments. What is
    unfinished is in the folder `.OUT.parts` beside `out`, which is removed at the end.

    Args:
        bundle: The trained model.
        inputs: Names that stand for images, or images from `collect_images`.
        out: The file; it appears when it is whole.
        file_format: One of `FORMATS`; by default what the suffix of `out` says.
        with_vector: Whether every probability is kept, in a format that keeps lists.
        with_embedding: Whether the network's features are kept, in a format that keeps lists.
        shard: Which share of the images to predict.
        engine: What predicts.
        overwrite: Whether an existing file, or another command's unfinished run, may be
            replaced.
        precision: Share of the categories named that should be right, in (0, 1].
        reporter: Told what is going on, how far it is, and whether the images look unlike those
            of the training.
        network: How the network is to be computed.
        limits: What one image may cost; a run goes on with the same only.
        layout: What a CSV file for people holds.
        with_maps: Whether it is kept where in the frame the best guesses are seen, in a format that
            keeps lists, where the network can tell.
        ranks: Whether the one answer climbs through the ranks of the tree of names, or of a table
            of taxa.

    Raises:
        OutputExistsError: If `out` exists and `overwrite` is false.
        OtherRunError: If an unfinished run of another command is there and `overwrite` is false,
            or another process is writing `out`.
        NoSpaceError: If the disk is full; the same call goes on when there is space.
        OutputError: If `out` cannot be written, or is a file that is read.
        SettingsError: If the format is unknown, or the suffix of `out` says another one.
        DatasetError: If names stand for no image at all.
    """
    out = Path(out)
    spec = run_spec(
        bundle,
        inputs,
        out,
        file_format=file_format,
        with_vector=with_vector,
        with_embedding=with_embedding,
        shard=shard,
        precision=precision,
        network=network,
        limits=limits,
        layout=layout,
        with_maps=with_maps,
        ranks=ranks,
    )
    listener = reporter or Reporter()
    summary = _carry_out(spec, ChunkStore(out), engine, overwrite, listener)
    if summary.warning:
        listener.warning(summary.warning)
    return summary


def run_spec(  # noqa: PLR0913 - as `predict_to_file` has them
    bundle: Bundle,
    inputs: ImageSelection | Sequence[ImageInput],
    out: Path,
    *,
    file_format: Format | None = None,
    with_vector: bool = True,
    with_embedding: bool = False,
    shard: Shard = WHOLE_RUN,
    precision: float = PRECISION,
    network: InferenceOptions = DEFAULT_INFERENCE,
    limits: InputLimits = USUAL_LIMITS,
    layout: SpreadsheetLayout = USUAL_SPREADSHEET,
    with_maps: bool = True,
    ranks: Ranks = False,
) -> RunSpec:
    """Return what is to be predicted, after the checks that need no image.

    See `predict_to_file` for the arguments.

    Raises:
        OutputError: If `out` cannot be written, or is a file that is read.
        SettingsError: If the format is unknown, or the suffix of `out` says another one.
    """
    check_output_file(out, overwrite=True, inputs=_read(bundle, inputs))
    return RunSpec(
        bundle=bundle,
        inputs=inputs,
        file_format=_format(out, file_format, shard),
        with_vector=with_vector,
        with_embedding=with_embedding,
        shard=shard,
        precision=precision,
        network=network,
        limits=limits,
        layout=layout,
        with_maps=with_maps,
        ranks=ranks,
    )


def _format(out: Path, wanted: Format | None, shard: Shard) -> Format:
    named = choose_format(out) if wanted is None else check_format(wanted)
    if shard.count > 1 and named != DEFAULT_FORMAT:
        raise SettingsError("A shard is written as Parquet; merge writes the other formats.")
    return choose_format(out, wanted)


def _read(bundle: Bundle, inputs: ImageSelection | Sequence[ImageInput]) -> Iterator[Path | str]:
    """Yield the files that are read, those aside that names stand for: the plan has these."""
    yield from bundle.path.iterdir()
    if isinstance(inputs, ImageSelection):
        yield from inputs.names
        yield from (inputs.split,) if inputs.split else ()
    else:
        yield from dict.fromkeys(image.path for image in inputs)


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """What is to be predicted, and what of it is to be kept."""

    bundle: Bundle
    inputs: ImageSelection | Sequence[ImageInput]
    file_format: Format
    with_vector: bool
    with_embedding: bool
    shard: Shard
    precision: float
    network: InferenceOptions
    limits: InputLimits
    layout: SpreadsheetLayout
    with_maps: bool
    ranks: Ranks

    def request(self) -> dict[str, Any]:
        """Return what must be the same for a run to go on, as JSON-ready values."""
        keeps_lists = FORMATS[self.file_format].keeps_lists
        return {
            "version": package_version(),
            "bundle_hash": bundle_hash(self.bundle.path),
            **_images(self.inputs),
            "vector": self.with_vector and keeps_lists,
            "embeddings": self.with_embedding and keeps_lists,
            "maps": self.with_maps and keeps_lists,
            "precision": self.precision,
            **_ranks(self.ranks),
            "shard": f"{self.shard.number}/{self.shard.count}",
            "network": _network(self.bundle, self.network),
            "limits": asdict(self.limits),
            "columns": _columns_hash(),
            "layout": asdict(self.layout) if self.file_format == "csv" else None,
        }


def _ranks(ranks: Ranks) -> dict[str, bool | str]:
    if not ranks:
        return {}
    return {"ranks": True if isinstance(ranks, bool) else ranks.content_hash()}


def _carry_out(
    spec: RunSpec, store: ChunkStore, engine: Engine, overwrite: bool, reporter: Reporter
) -> PredictionSummary:
    request = spec.request()
    with store.held():
        if (finished := store.finished(request)) is not None:
            store.move_out()
            return PredictionSummary.from_json(finished)
        reporter.activity("listing the images")
        images = (
            spec.inputs.stream(reporter) if isinstance(spec.inputs, ImageSelection) else spec.inputs
        )
        predictor = Predictor(
            spec.bundle,
            precision=spec.precision,
            network=spec.network,
            with_maps=request["maps"],
            ranks=spec.ranks,
        )
        for notice in predictor.postprocessor.notices if predictor.postprocessor else ():
            reporter.message(notice)
        state = begin_or_go_on(store, images, request, overwrite=overwrite, reporter=reporter)
        if request["network"] is not None:
            words = "network: {runtime} on {device} in {dtype}: {reason}."
            reporter.message(words.format(**request["network"]))
        if request["maps"] and predictor.map_grid is None:
            reporter.message(
                "heat maps: none, because the bundle's network does not say what each patch says."
            )
        columns = columns_of(spec, request, has_frames=state.size.has_frames, predictor=predictor)
        chunks = spec.shard.chunks(state.size.n_chunks)
        with reporter.progress("predicting") as progress:
            work = ChunkWork(
                bundle=spec.bundle,
                plan=Plan(store.plan_path),
                size=state.size,
                columns=columns,
                precision=spec.precision,
                ranks=spec.ranks,
                progress=progress,
                network=spec.network,
                limits=spec.limits,
                postprocessor=predictor.postprocessor,
            )
            predict_missing(store, work, engine, chunks, reporter)
        reporter.activity("writing the predictions")
        return _put_together(store, spec, state, chunks, columns, predictor.postprocessor)


def _columns_hash() -> str:
    """Return what tells the columns of this version from those of another."""
    return hashlib.sha256(str(Columns(0, with_time=True).schema()).encode()).hexdigest()[:12]


def columns_of(
    spec: RunSpec, request: Mapping[str, Any], *, has_frames: bool, predictor: Predictor
) -> Columns:
    """Return the columns of each row of a run."""
    return Columns(
        n_categories=len(spec.bundle.categories),
        with_vector=request["vector"],
        with_time=has_frames,
        n_features=predictor.n_features() if request["embeddings"] else 0,
        category_names=spec.bundle.categories.names,
        map_grid=predictor.map_grid,
    )


def _network(bundle: Bundle, options: InferenceOptions) -> dict[str, str] | None:
    """Return what computes the network, and why: a run goes on in the same arithmetic only."""
    if bundle.manifest.runner != "network":
        return None
    choice = choose_for_bundle(bundle, options)
    # Not the number of the card: shares of one archive are computed on several, and merged.
    return {
        "runtime": choice.runtime,
        "device": device_kind(choice.device),
        "dtype": choice.dtype,
        "reason": choice.reason,
    }


def _images(inputs: ImageSelection | Sequence[ImageInput]) -> dict[str, Any]:
    if isinstance(inputs, ImageSelection):
        return inputs.request()
    return {"images": listing_hash(inputs)}


def _put_together(
    store: ChunkStore,
    spec: RunSpec,
    state: RunState,
    chunks: Sequence[int],
    columns: Columns,
    postprocessor: PostProcessor | None,
) -> PredictionSummary:
    schema = columns.schema()
    whole = surveyed(finished_rows(store, chunks, state.size, columns=SURVEYED))
    checked = whole.domain_check()
    summary = PredictionSummary(domain_check=None if checked is None else checked.to_json())
    rows = with_ranks(finished_rows(store, chunks, state.size), whole.ranks())

    def metadata() -> dict[str, Any]:
        shard = {**asdict(spec.shard), "n_images": state.size.n_images}
        return (
            _metadata(spec.bundle, state, summary)
            | uncertainty_metadata(postprocessor)
            | maps_metadata(columns)
            | {"inputs_sha256": state.size.sha256, "shard": shard}
            | training_split_metadata(spec.bundle, store.out.parent)
        )

    write_tables(
        summary.watched(rows, schema),
        store.whole_path,
        schema=schema,
        metadata=metadata,
        fallback_ids=most_frequent_first(evidence_of(spec.bundle)),
        file_format=spec.file_format,
        overwrite=True,
        layout=spec.layout,
    )
    store.finish(state.request, summary.to_json())
    return summary


def _metadata(bundle: Bundle, state: RunState, summary: PredictionSummary) -> dict[str, Any]:
    manifest = bundle.manifest
    return {
        "schema_version": SCHEMA_VERSION,
        **run_provenance(state.started, "numpy", *RUNTIMES, "pillow", "pyarrow"),
        "bundle_hash": state.request["bundle_hash"],
        **origin_of(bundle),
        "settings": manifest.settings,
        "network": state.request["network"],
        "n_images": summary.n_images,
        "failures": dict(summary.failures),
        "content_sha256": summary.content_sha256,
        "domain_check": summary.domain_check,
        "categories": evidence_of(bundle),
    }
