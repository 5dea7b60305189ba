"""A review session over frames that are predicted while the server runs."""

from __future__ import annotations

from pathlib import Path

from finding_nemo.core.reporter import Reporter
from finding_nemo.prediction.predictor import Predictor
from finding_nemo.prediction.run.uncertainty_metadata import bundle_metadata
from finding_nemo.reviewing.live_collection import LiveCollection
from finding_nemo.reviewing.review_session import ReviewSession
from finding_nemo.reviewing.review_store import SUFFIX, open_store


def open_live_session(
    folder: Path,
    predictor: Predictor,
    *,
    reviewer: str = "",
    dive_pattern: str | None = None,
    reporter: Reporter | None = None,
) -> ReviewSession:
    """Open a session without frames in a folder; reviews that lie there count again.

    `session.add_frames` takes frames as they are predicted. Close the session when it is over.

    Args:
        folder: Where frames and reviews are kept.
        predictor: What predicts them, best with embeddings.
        reviewer: Who reviews where nobody says.
        dive_pattern: Regular expression with a group named dive, for the names of files.
        reporter: Told what is chosen, and progress.

    Raises:
        ReviewsError: If the reviews in the folder are of another bundle.
        OutputError: If the folder cannot be written.
        OtherRunError: If another process has the reviews open.
    """
    metadata = bundle_metadata(predictor.bundle, predictor.postprocessor)
    collection = LiveCollection(folder, metadata, dive_pattern=dive_pattern)
    about = {
        "predictions": collection.content_sha256,
        "bundle_hash": str(metadata["bundle_hash"]),
        "name": predictor.bundle.path.name,
    }
    store = open_store(folder / f"session{SUFFIX}", about)
    try:
        return ReviewSession(collection, store, reviewer=reviewer, reporter=reporter)
    except BaseException:
        store.close()
        raise
