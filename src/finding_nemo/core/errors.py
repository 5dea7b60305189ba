"""Every error that a user can meet.

FindingNemoError
├── DatasetError (ValueError)            the data set's files say something impossible
│   ├── DatasetNotFoundError (FileNotFoundError)
│   └── AnnotationError                  a line or record that cannot be read
├── ImageError (ValueError)              one image cannot be used; becomes a row with `failure`
├── SplitError (ValueError)              a split cannot be made, or does not fit the data set
├── SettingsError (ValueError)           settings that are unknown or out of range, all at once
├── TrainingError (RuntimeError)         a training cannot go on
│   └── WeightsError                     pretrained weights are wanted and cannot be had
├── BundleError (ValueError)             a bundle is missing, broken, or of another schema
├── ExportError (ValueError)             an export is worse than its bar
├── PredictionsError (ValueError)        a predictions file cannot be used
├── ReviewsError (ValueError)            reviews, or a file of them, cannot be used
│   ├── NoSuchFrameError (LookupError)   there is no frame, dive or map of that number or name
│   └── FrameFailedError                 the frame could not be read, so nobody can review it
├── NamesError (ValueError)              a table of names, or an export of WoRMS, cannot be used
├── SubmissionError (ValueError)         a submission does not fit its solution
├── FetchError (RuntimeError)            images cannot be fetched
│   └── AddressError (ValueError)        one address cannot be asked; becomes a row
├── EngineError (RuntimeError)           the workers of a cluster cannot go on
├── RequestError (ValueError)            a request to the server is refused
├── ArgumentError (TypeError)            a function was given what it does not take
├── MissingExtraError (ImportError)      a library of an optional extra is not installed
└── OutputError (OSError)                an output cannot be written
    ├── OutputExistsError (FileExistsError)
    ├── OtherRunError                    what is unfinished is another command's, or in use
    └── NoSpaceError

Each message says what was got, what was wanted, and what to do.
"""

from __future__ import annotations

from collections.abc import Mapping


class FindingNemoError(Exception):
    """The root of all errors that this package raises on purpose.

    Example:
        >>> try:  # doctest: +SKIP
        ...     dataset = finding_nemo.read_dataset("fathomnet/")
        ... except finding_nemo.FindingNemoError as error:
        ...     print(error)
    """


class DatasetError(FindingNemoError, ValueError):
    """The files of a data set contradict themselves or the format."""


class DatasetNotFoundError(DatasetError, FileNotFoundError):
    """A data set, or a file that it must have, is not there."""

    def __str__(self) -> str:
        """Return the message alone, not the operating system's form of it."""
        return str(self.args[0]) if self.args else ""


class AnnotationError(DatasetError):
    """A line or record of an annotation file cannot be read."""


class ImageError(FindingNemoError, ValueError):
    """One image cannot be used."""


class SplitError(FindingNemoError, ValueError):
    """A split cannot be made, or does not fit the data set."""


class SettingsError(FindingNemoError, ValueError):
    """Settings are unknown or out of range; the message lists every fault."""


class TrainingError(FindingNemoError, RuntimeError):
    """A training cannot start or cannot go on."""


class WeightsError(TrainingError):
    """Pretrained weights are wanted and cannot be had, or do not fit; it says the ways out."""


class StoppedError(TrainingError):
    """Ctrl-C ended a training or a search; the same command goes on."""


class BundleError(FindingNemoError, ValueError):
    """A bundle is missing, broken, or of another schema version."""


class ExportError(FindingNemoError, ValueError):
    """An exported network does not say what the trained one says."""


class PredictionsError(FindingNemoError, ValueError):
    """A predictions file cannot be used."""


class ReviewsError(FindingNemoError, ValueError):
    """Reviews, or a file of them, cannot be used."""


class NoSuchFrameError(ReviewsError, LookupError):
    """There is no frame, dive or map of that number or name."""


class FrameFailedError(ReviewsError):
    """The frame could not be read when it was predicted, so it cannot be reviewed."""


class NamesError(FindingNemoError, ValueError):
    """A table of names of animals, or an export of WoRMS, cannot be used."""


class SubmissionError(FindingNemoError, ValueError):
    """A submission does not fit the competition's rules or its solution."""


class FetchError(FindingNemoError, RuntimeError):
    """Images cannot be fetched."""


class AddressError(FetchError, ValueError):
    """An address is none that can be asked for an image."""


class EngineError(FindingNemoError, RuntimeError):
    """The workers that predict on a cluster cannot go on."""


class RequestError(FindingNemoError, ValueError):
    """A request to the server is refused; the words are for whoever sent it.

    Attributes:
        status: Of the reply, 4xx or 5xx.
        what: What was got, without any path of the server.
        wanted: What is taken instead, "" where there is nothing to say.
        do: What to do, "" where there is nothing to do.
        headers: Of the reply, such as Retry-After.
    """

    def __init__(
        self,
        status: int,
        what: str,
        *,
        wanted: str = "",
        do: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(" ".join(words for words in (what, wanted, do) if words))
        self.status, self.what, self.wanted, self.do = status, what, wanted, do
        self.headers = dict(headers or {})


class ArgumentError(FindingNemoError, TypeError):
    """A function was given a value of a kind that it does not take."""


class MissingExtraError(FindingNemoError, ImportError):
    """What was asked for needs a library of an optional extra that is not installed."""


class OutputError(FindingNemoError, OSError):
    """An output cannot be written."""

    def __str__(self) -> str:
        """Return the message alone, not the operating system's form of it."""
        return str(self.args[0]) if self.args else ""


class OutputExistsError(OutputError, FileExistsError):
    """An output exists already and nobody asked to replace it."""


class OtherRunError(OutputError):
    """An unfinished output belongs to another command, or another process writes it now."""


class NoSpaceError(OutputError):
    """The disk is full."""
