"""A dive as a page: which animals, how sure, what to look at first; for frames without truth."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from datetime import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from finding_nemo.core.errors import ImageError, MissingExtraError
from finding_nemo.core.files.atomic_files import write_text
from finding_nemo.core.reporter import Reporter
from finding_nemo.core.text.plurals import in_number
from finding_nemo.core.text.printable import printable
from finding_nemo.data.images.find_images import FoundImages, find_images, links
from finding_nemo.marine.name_words import place_in_words, rank_in_words
from finding_nemo.marine.names_file import known_names
from finding_nemo.reporting.dive.accumulated_categories import (
    accumulation_table,
    categories_by_effort,
)
from finding_nemo.reporting.dive.dive_counts import (
    FrameCounts,
    NameCount,
    count_frames,
    counts_table,
    effort_table,
)
from finding_nemo.reporting.dive.dive_frames import DiveFrames, Frame, look_order
from finding_nemo.reporting.dive.dive_outputs import DiveOutputs, whole_outputs, write_table
from finding_nemo.reporting.dive.dive_words import reasons_to_look, summarize, sure_of
from finding_nemo.reporting.dive.page_data import frames_script, maps_scripts, time_in_words
from finding_nemo.reporting.dive.survey_cells import DEPTH_BAND_M
from finding_nemo.reporting.dive.survey_shares import name_shares, shares_table
from finding_nemo.reporting.dive.thumbnail_sheets import (
    Thumbnails,
    Videos,
    draw_sheets,
    save_jpeg,
    small_picture,
)
from finding_nemo.reporting.html.page import write_page
from finding_nemo.reporting.html.survey_section import survey_values

_N_NAMES = 9
_N_CARDS = 8
_CARD_PX = (480, 320)
_DATA = "frames.js"
_DATE = re.compile(r"\b\d{4}-\d\d-\d\d\b")
_MEANINGS_OWN = (
    "meant to be right in 9 of 10 frames of new dives",
    "in at least 7 of 10",
    "only the best guess",
)
_MEANINGS = (
    "reaches the precision that was asked for",
    "a probability of 50 % or more",
    "less than that",
)


@dataclass(frozen=True, slots=True)
class WrittenDive:
    """What was written, and what to say of it.

    Attributes:
        outputs: Where its parts are.
        notices: What is missing, in sentences.
    """

    outputs: DiveOutputs
    notices: tuple[str, ...]


def write_dive_page(
    found: DiveFrames,
    path: Path,
    *,
    title: str,
    images: Path | None = None,
    overwrite: bool = False,
    reporter: Reporter | None = None,
    names_file: Path | None = None,
    depth_band_m: float = DEPTH_BAND_M,
) -> WrittenDive:
    """Write the page, its tables, and its folder of small pictures: all of them or nothing.

    Args:
        found: The frames.
        path: The page.
        title: Its heading where there are several dives, or none is named.
        images: The folder of the images; default: where the predictions say they are.
        overwrite: Whether existing parts may be replaced.
        reporter: Told of the progress.
        names_file: A table of names, which counts before that of the package.
        depth_band_m: The height of the depth bands of its tables.

    Raises:
        OutputExistsError: If a part exists and `overwrite` is false.
        OutputError: If a part cannot be written.
        DatasetError: If the folder of the images does not exist.
    """
    outputs = DiveOutputs.of(path)
    found, places = _with_ranks(found, names_file)
    found_images = find_images(found.frames, images)
    with whole_outputs(outputs, overwrite=overwrite) as new:
        thumbnails = draw_sheets(
            found.frames, found_images.files, new.folder, reporter=reporter or Reporter()
        )
        notices = (*found.notices, *_notices(found, found_images, thumbnails, images))
        addresses = links(_pictures(found.frames, found_images.files), path)
        folder = quote(outputs.folder.name)
        write_text(
            new.folder / _DATA, frames_script(found, thumbnails, addresses, folder, places=places)
        )
        for name, text in maps_scripts(found):
            write_text(new.folder / name, text)
        shares = tuple(name_shares(found, depth_band_m=depth_band_m))
        curves = categories_by_effort(found)
        write_table(new.counts, counts_table(found, depth_band_m=depth_band_m))
        write_table(new.effort, effort_table(found, depth_band_m=depth_band_m))
        write_table(new.shares, shares_table(found, shares))
        write_table(new.accumulation, accumulation_table(curves))
        write_page(
            "dive.html",
            new.page,
            title=_title(found, title),
            lead=_lead(found),
            notices=notices,
            folder=outputs.folder.name,
            data_link=f"{folder}/{_DATA}",
            **_table_links(outputs),
            **survey_values(found, shares, curves, depth_band_m=depth_band_m),
            cards=_cards(found, found_images.files, new.folder, addresses, folder),
            n_look=sum(frame.look_first > 0 for frame in found.frames),
            **_first_screen(found, places),
        )
    return WrittenDive(outputs, notices)


def _table_links(outputs: DiveOutputs) -> dict[str, Any]:
    tables = {
        "counts": outputs.counts,
        "effort": outputs.effort,
        "shares": outputs.shares,
        "accumulation": outputs.accumulation,
    }
    names = {f"{key}_name": table.name for key, table in tables.items()}
    return names | {f"{key}_link": f"./{quote(table.name)}" for key, table in tables.items()}


def _pictures(frames: Sequence[Frame], files: Sequence[Path | None]) -> list[Path | None]:
    """Return the files that a browser shows as they are: not videos."""
    return [
        None if frame.time_s is not None else file
        for frame, file in zip(frames, files, strict=True)
    ]


def _notices(
    found: DiveFrames, images: FoundImages, thumbnails: Thumbnails, folder: Path | None
) -> tuple[str, ...]:
    """Return what of the pictures is missing."""
    notices = []
    if images.n_missing:
        where = "where the predictions say" if folder is None else f"in {folder}"
        which = (
            "No image file is"
            if images.n_missing == len(found.frames)
            else (f"{images.n_missing:,} of {len(found.frames):,} image files are not")
        )
        help_words = "" if folder is not None else "; --images names their folder"
        notices.append(f"{which} {where}, so these frames have no picture{help_words}.")
    if images.n_ambiguous:
        notices.append(
            f"{images.n_ambiguous:,} frames have no picture because several files of the folder "
            "have their name."
        )
    notices += [
        f"{count:,} {'frame has' if count == 1 else 'frames have'} no picture: the file {reason}."
        for reason, count in list(thumbnails.failures.items())[:3]
    ]
    return tuple(printable(notice) for notice in notices)


def _title(found: DiveFrames, title: str) -> str:
    dives = [dive for dive in found.dives if dive]
    return dives[0] if len(found.dives) == 1 and dives else title


def _lead(found: DiveFrames) -> str:
    n, dives = len(found.frames), [dive for dive in found.dives if dive]
    text = in_number(n, "frame")
    if len(dives) > 1:
        text += f" of {len(dives):,} dives"
    moments = [frame.captured for frame in found.frames if frame.captured is not None]
    if not moments:
        return text
    has_time = any(moment.time() != time.min for moment in moments)
    form = "%Y-%m-%d %H:%M" if has_time else "%Y-%m-%d"
    first, last = min(moments).strftime(form), max(moments).strftime(form)
    if first == last:
        return f"{text}, {first}"
    same_day = has_time and first[:10] == last[:10]
    return f"{text}, {first} to {last[11:] if same_day else last}"


def _with_ranks(found: DiveFrames, names_file: Path | None) -> tuple[DiveFrames, Mapping[str, str]]:
    """Return the frames with the ranks of their names, and each name's place in the tree.

    The place is in words, "" where it is not known. What a table says of a rank counts before what
    the answers say.
    """
    known = known_names([name.text for name in found.names], path=names_file)
    names = [
        replace(name, rank=rank_in_words(known[name.text]) or name.rank) for name in found.names
    ]
    places = {name.text: place_in_words(known[name.text]) or name.rank for name in names}
    return replace(found, names=tuple(names)), places


def _first_screen(found: DiveFrames, places: Mapping[str, str]) -> dict[str, Any]:
    counts = count_frames(found.frames, len(found.words))
    shown = [item for item in counts.names.items() if item[1].n_frames]
    most = max((count.n_frames for _, count in shown), default=1)
    by_word = [sum(count.by_word[place] for _, count in shown) for place in range(len(found.words))]
    return {
        "summary": {
            name: set_lines(text) for name, text in asdict(summarize(found, counts)).items()
        },
        "shares": [{"place": min(place, 2), "n": n} for place, n in enumerate(by_word)]
        if shown
        else [],
        "names": [
            _bar(found, places, count, position=position, most=most)
            for position, count in shown[:_N_NAMES]
        ],
        "n_more_names": max(0, len(shown) - _N_NAMES),
        "words": _words(found, counts),
    }


def _bar(
    found: DiveFrames, places: Mapping[str, str], count: NameCount, *, position: int, most: int
) -> dict[str, Any]:
    parts = [
        {"place": min(place, 2), "width": round(100 * n / most, 2)}
        for place, n in enumerate(count.by_word)
        if n
    ]
    by_words = ", ".join(
        f"{word} {n:,}" for word, n in zip(found.words, count.by_word, strict=True) if n
    )
    name = found.names[position]
    place = f" ({places[name.text]})" if places[name.text] else ""
    return {
        "position": position,
        "text": name.shown,
        "n_frames": count.n_frames,
        "sure": sure_of(count, found.words),
        "parts": parts,
        "title": f"{name.text}{place}: {by_words}",
    }


def _words(found: DiveFrames, counts: FrameCounts) -> list[dict[str, Any]]:
    """Return each word that an answer of this page has, with what it means."""
    meanings = _MEANINGS_OWN if found.has_own_words else _MEANINGS
    used = {place for count in counts.names.values() for place, n in enumerate(count.by_word) if n}
    return [
        {"place": min(place, 2), "text": word, "meaning": meanings[min(place, 2)]}
        for place, word in enumerate(found.words)
        if place in used
    ]


def _cards(
    found: DiveFrames,
    files: Sequence[Path | None],
    folder: Path,
    addresses: Sequence[str],
    folder_link: str,
) -> list[dict[str, Any]]:
    """Return the frames to look at first, and write a larger picture of each."""
    cards = []
    with ExitStack() as opened:
        videos = Videos(opened)
        for number, place in enumerate(look_order(found.frames)[:_N_CARDS], start=1):
            frame, file = found.frames[place], files[place]
            name = f"look-{number}.jpg"
            is_drawn = file is not None and _draw_card(frame, file, videos, folder / name)
            cards.append(
                {
                    "position": place,
                    "link": addresses[place] or "#frames",
                    "picture": f"{folder_link}/{name}" if is_drawn else "",
                    "why_no_picture": frame.failure or "no picture here",
                    "answer": set_lines(
                        "" if frame.answer is None else found.names[frame.answer].shown
                    ),
                    "word": _word(found, frame),
                    "reasons": [set_lines(why) for why in reasons_to_look(frame, found)[:2]],
                    "where": set_lines(_where(found, frame)),
                }
            )
    return cards


def _where(found: DiveFrames, frame: Frame) -> str:
    dive = frame.dive if len(found.dives) > 1 else ""
    return ", ".join(part for part in (dive, time_in_words(frame)) if part)


def _word(found: DiveFrames, frame: Frame) -> dict[str, Any] | None:
    if frame.confidence is None:
        return None
    return {"place": min(frame.confidence, 2), "text": found.words[frame.confidence]}


def set_lines(text: str) -> Markup:
    """Return a text that may break its line after each `_`, but not before `%` nor in a date."""
    broken = Markup("_<wbr>").join(printable(part) for part in text.split("_"))
    html = str(broken).replace(" %", "&nbsp;%")
    html = _DATE.sub(r'<span class="date">\g<0></span>', html)
    return Markup(html)  # noqa: S704 - escaped above; digits and hyphens are what is put in tags


def _draw_card(frame: Frame, file: Path, videos: Videos, path: Path) -> bool:
    try:
        save_jpeg(small_picture(frame, file, videos, _CARD_PX), path)
    except (ImageError, MissingExtraError):
        return False  # counted with the small pictures
    return True
