"""What `ensemble` would do and cost, measured on a few of its images; nothing is written."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from finding_nemo.core.files.output_checks import check_output_folder
from finding_nemo.core.processes.cores import usable_cores
from finding_nemo.core.records import Dataset, ImageRecord, Split
from finding_nemo.core.reporter import Reporter, time_in_words
from finding_nemo.core.text.estimates import DryRun, Estimate, peak_memory, size_in_words
from finding_nemo.core.text.plurals import in_number
from finding_nemo.models.bundle.bundle import Bundle
from finding_nemo.prediction.predictor import Predictor
from finding_nemo.training.ensemble.make_ensemble import check_ensemble

# Enough for every core to have some, few enough to take a second a member.
_SAMPLE = 16
# So that threads share the sample; on a CPU it changes no number.
_BATCH = 4


def dry_run_ensemble(
    bundles: Sequence[Bundle],
    dataset: Dataset,
    split: Split,
    *,
    out: Path,
    shares: Sequence[float] | None,
    overwrite: bool,
    reporter: Reporter,
) -> DryRun:
    """Return what `make_ensemble` would do, or refuse what it would refuse.

    Args:
        bundles: As `make_ensemble` has them.
        dataset: The same.
        split: The same.
        out: The same.
        shares: The same.
        overwrite: The same.
        reporter: Told what goes on.

    Raises:
        BundleError: If the bundles do not fit together; the message lists every reason.
        OutputExistsError: If `out` is occupied and `overwrite` is not set.
        SettingsError: If the shares do not fit.
        SplitError: If the split does not fit the data set.
    """
    asked = check_ensemble(bundles, dataset, split, out=out, shares=shares, reporter=reporter)
    check_output_folder(out, overwrite=overwrite)
    train, val = asked.partition.train, asked.partition.val
    records = (*train, *val)
    sample = records[:: max(len(records) // _SAMPLE, 1)][:_SAMPLE]
    reporter.activity(f"predicting {len(sample)} of the images to measure what one costs")
    image_s = sum(_seconds_an_image(bundle, dataset, sample) for bundle in bundles)
    spec = asked.preprocessing
    members = ", ".join(
        f"{bundle.manifest.recipe} {100 * share:.0f} %"
        for bundle, share in zip(bundles, asked.shares, strict=True)
    )
    memory = peak_memory()
    return DryRun(
        (
            f"join {in_number(len(bundles), 'bundle')} into {out}: {members}",
            f"fit novelty on {len(train):,} training images and calibrate on {len(val):,} "
            f"validation images, at {spec.width_px} x {spec.height_px} px",
        ),
        (
            Estimate(
                "time",
                f"about {time_in_words(len(records) * image_s)}",
                f"{1000 * image_s:.1f} ms an image with all members on "
                f"{in_number(usable_cores(), 'core')} as busy as they are, measured just now on "
                f"{len(sample)} of these images",
            ),
            Estimate(
                "disk",
                f"about {size_in_words(sum(map(_bytes_of, bundles)))} in the output, and "
                f"{size_in_words(3 * len(records) * spec.width_px * spec.height_px)} in the cache "
                "less what is there already",
                "the bytes of the members; pixels of the images by their number",
            ),
            Estimate(
                "memory",
                "not known" if memory is None else f"about {size_in_words(memory)}",
                "this system does not say"
                if memory is None
                else "the most that this program has held while it predicted with each member",
            ),
        ),
    )


def _seconds_an_image(bundle: Bundle, dataset: Dataset, sample: Sequence[ImageRecord]) -> float:
    """Return what one image costs, reading it among that; opening the network is left out."""
    predictor = Predictor(bundle)
    images = [record.image_id for record in sample]
    list(predictor.predict(dataset.subset(images[:1])))
    began = time.perf_counter()
    n_rows = sum(1 for _ in predictor.predict(dataset.subset(images), batch_size=_BATCH))
    return (time.perf_counter() - began) / max(n_rows, 1)


def _bytes_of(bundle: Bundle) -> int:
    return sum(path.stat().st_size for path in bundle.path.iterdir() if path.is_file())
