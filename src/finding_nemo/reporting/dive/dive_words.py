"""The first screen in words: what was seen, how sure, what to look at and what made it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from finding_nemo.core.text.plurals import in_number
from finding_nemo.reporting.dive.dive_counts import FrameCounts, NameCount
from finding_nemo.reporting.dive.dive_frames import UNUSUAL_FROM, DiveFrames, Frame
from finding_nemo.reporting.dive.dive_names import count_or_none

_CLOSE = 0.6
_SURE_ENOUGH = 0.8
_LOW = 0.3
_MIDDLING = 0.6
_FAR_OUT = 0.995
_RATHER = 0.8
_HOW_UNUSUAL = ((UNUSUAL_FROM, "Unusual"), (_RATHER, "Somewhat unusual"), (0.0, "Ordinary"))
_SCARCE_IMAGES = 5
_ADVICE = (
    "Nine of ten sure answers should be right, and seven of ten likely ones; do not count a guess."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The lines of the first screen, each a plain sentence.

    Attributes:
        seen: Which names in how many frames.
        sure: How many answers are sure.
        unread: What could not be read.
        unusual: What looks unlike anything known.
        made_by: Which bundle.
        warning: That the frames are not of the bundle's world, "" where nothing says so.
    """

    seen: str
    sure: str
    unread: str
    unusual: str
    made_by: str
    warning: str


def summarize(found: DiveFrames, counts: FrameCounts) -> Summary:
    """Return the first screen in words."""
    return Summary(
        seen=_seen(found, counts),
        sure=_sure(found, counts),
        unread=_unread(counts),
        unusual=_unusual(found, counts),
        made_by=made_by(found.metadata),
        warning=domain_warning(found.metadata),
    )


def _seen(found: DiveFrames, counts: FrameCounts) -> str:
    if not counts.effort.n_readable:
        return "Nothing was seen: no frame could be read."
    named = [(found.names[name].shown, count) for name, count in counts.names.items()]
    seen = [(text, count) for text, count in named if count.n_frames]
    first = seen[:3]
    shown = _listed(
        [
            f"{text} "
            f"({f'{count.n_frames:,}' if place else in_number(count.n_frames, 'frame')}, "
            f"{sure_of(count, found.words)})"
            for place, (text, count) in enumerate(first)
        ]
    )
    n_more = len(seen) - len(first)
    more = f"; {in_number(n_more, 'more name')}" if n_more else ""
    return f"Most often {shown}{more}."


def sure_of(count: NameCount, words: Sequence[str]) -> str:
    """Return how many frames of a name have the surest word."""
    n_sure, sure = count.by_word[0], words[0]
    if n_sure == count.n_frames:
        return sure if n_sure == 1 else f"all {sure}"
    return f"{n_sure:,} {sure}" if n_sure else f"none {sure}"


def _sure(found: DiveFrames, counts: FrameCounts) -> str:
    by_word = [
        sum(count.by_word[place] for count in counts.names.values())
        for place in range(len(found.words))
    ]
    total = counts.effort.n_readable
    if not total:
        return "No frame has an answer."
    shares = [(_share(n, total), word) for word, n in zip(found.words, by_word, strict=True) if n]
    parts = [
        f"{share} {'of the answers are ' if place == 0 else ''}\u201c{word}\u201d"
        for place, (share, word) in enumerate(shares)
    ]
    advice = f" {_ADVICE}" if found.has_own_words else ""
    return f"{_listed(parts)}.{advice}"


def _unread(counts: FrameCounts) -> str:
    n_failed = counts.effort.n_frames - counts.effort.n_readable
    if not n_failed:
        return f"None: all {counts.effort.n_frames:,} frames could be read."
    reason = next(iter(counts.failures))
    which = "the reason" if len(counts.failures) == 1 else "the commonest reason"
    return f"{in_number(n_failed, 'frame')} could not be read; {which}: \u201c{reason}\u201d."


def _unusual(found: DiveFrames, counts: FrameCounts) -> str:
    known = sum(not math.isnan(frame.novelty_percentile) for frame in found.frames)
    if not known:
        return "How unusual the frames are is not known: the file does not say it."
    n = counts.effort.n_unusual
    if not n:
        return "None: no frame looks unlike those that the model was checked on."
    return (
        f"{in_number(n, 'frame')} ({_share(n, known)}) {'looks' if n == 1 else 'look'} unlike the "
        f"frames that the model was checked on. About {_percent(1 - UNUSUAL_FROM)} is ordinary."
    )


def made_by(metadata: Mapping[str, Any]) -> str:
    """Return which bundle made the predictions, when, and what it was trained on."""
    if not metadata.get("recipe"):
        return "The file does not say which bundle made it."
    name = str(metadata.get("bundle_name") or metadata["recipe"])
    digest = str(metadata.get("bundle_hash") or "")[:12]
    ended = str(metadata.get("ended") or "")[:10]
    text = f"Bundle {name}" + (f" ({digest})" if digest else "")
    text += f", predicted on {ended}" if ended else ""
    return f"{text}; {_trained_on(metadata)}."


def _trained_on(metadata: Mapping[str, Any]) -> str:
    training = metadata.get("training")
    if isinstance(training, Mapping) and count_or_none(training.get("n_dives")):
        n_images, n_dives = (count_or_none(training.get(key)) for key in ("n_images", "n_dives"))
        n_left_out = count_or_none(training.get("n_left_out"))
        more = f" ({n_left_out:,} more could not be used)" if n_left_out else ""
        frames = in_number(n_images or 0, "frame")
        return f"trained on {frames} of {in_number(n_dives or 0, 'dive')}{more}"
    dives = [count_or_none(entry.get("n_dives")) or 0 for entry in metadata.get("categories", ())]
    if not any(dives):
        return "on how many dives it was trained is not known"
    return f"trained on at least {in_number(max(dives), 'dive')}"


def domain_warning(metadata: Mapping[str, Any]) -> str:
    """Return the warning of a file whose frames are unlike those of its bundle, else ""."""
    stated = metadata.get("domain_check")
    message = stated.get("message") if isinstance(stated, Mapping) else None
    return message if isinstance(message, str) else ""


def novelty_in_words(percentile: float) -> str:
    """Return how unusual a frame is."""
    if math.isnan(percentile):
        return "How unusual it is, is not known."
    if percentile >= _FAR_OUT:
        return "More unusual than all frames that the model was checked on."
    word = next(word for least, word in _HOW_UNUSUAL if percentile >= least)
    return (
        f"{word}: more unusual than {_percent(percentile)} of the frames that the model was "
        "checked on."
    )


def reasons_to_look(frame: Frame, found: DiveFrames) -> tuple[str, ...]:
    """Return why a person should look at a frame, each reason a short sentence."""
    reasons = []
    if frame.novelty_percentile >= _FAR_OUT:
        reasons.append("Unlike anything the model was checked on.")
    elif frame.novelty_percentile >= UNUSUAL_FROM:
        share = _percent(frame.novelty_percentile)
        reasons.append(f"Looks unlike most frames that the model knows: unusual {share}.")
    reasons += _doubts(frame, found)
    if frame.guesses:
        best = found.names[frame.guesses[0].name]
        if best.n_images is not None and best.n_images <= _SCARCE_IMAGES:
            reasons.append(f"Only {best.n_images} training frames show {best.text}.")
    return tuple(reasons) or (_least_of_its_part(frame, found),)


def _least_of_its_part(frame: Frame, found: DiveFrames) -> str:
    """Return what is said of a frame that nothing but its place in the list stands out by."""
    if frame.novelty_percentile >= _RATHER:
        share = _percent(frame.novelty_percentile)
        return f"Looks somewhat unlike the frames that the model knows: unusual {share}."
    if not frame.guesses:
        return "It has no guess."
    name, top = found.names[frame.guesses[0].name].text, frame.guesses[0].probability
    return f"Among the less sure of its part of the dive: {name} with {_percent(top)}."


def _doubts(frame: Frame, found: DiveFrames) -> list[str]:
    if not frame.guesses:
        return []
    first, *others = frame.guesses
    name, top = found.names[first.name].text, first.probability
    if others and top < _SURE_ENOUGH and others[0].probability >= _CLOSE * top:
        second = found.names[others[0].name].text
        both = f"{name} ({_percent(top)}) and {second} ({_percent(others[0].probability)})"
        return [f"Two names are about as likely: {both}."]
    if top < _LOW:
        return [f"No name is likely; the best is {name} with {_percent(top)}."]
    if top < _MIDDLING:
        return [f"The best name, {name}, has only {_percent(top)}."]
    return []


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _share(part: int, total: int) -> str:
    share = 100 * part / total
    if 0 < share < 1:
        return f"under {_percent(0.01)}"
    return f"over {_percent(0.99)}" if 99 < share < 100 else _percent(part / total)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
