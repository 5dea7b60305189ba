"""The columns of our files: type, unit, range and meaning, in tables for checks and for the page.

`docs/formats.md` and the schemas are made from them, and the checks of values read them.
"""

from __future__ import annotations

from dataclasses import dataclass

from finding_nemo.uncertainty.answers import GUESS, LIKELY, SURE
from finding_nemo.uncertainty.label_tree import RANK_ORDER


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatColumn:
    """One column of a file.

    Attributes:
        name: In the file.
        type: "text", "whole", "number", "moment", or "list of" one of them.
        meaning: In one line for people.
        needed: Whether every file must have it.
        least: The least that a number may be.
        most: The most.
        choices: The texts that it may hold; any if empty.
        along: The column whose length this list has; "" if it has its own.
        holds_ids: Whether its numbers are category ids.
        since: The first version that wrote it.
    """

    name: str
    type: str
    meaning: str
    needed: bool = False
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()
    along: str = ""
    holds_ids: bool = False
    since: str = "0.1"

    @property
    def range_in_words(self) -> str:
        """What values it may have."""
        if self.choices:
            return ", ".join(self.choices)
        if self.holds_ids:
            return "ids of the table of categories"
        if self.least is None and self.most is None:
            return ""
        if self.most is None:
            return f"{self.least:g} or more"
        return f"{self.least:g} to {self.most:g}"


_C = FormatColumn
PREDICTIONS: tuple[FormatColumn, ...] = (
    _C(name="image_id", type="text", needed=True, meaning="The image; each has one row."),
    _C(name="path", type="text", needed=True, meaning="Its file, as the user named it."),
    _C(name="time_s", type="number", least=0, meaning="Seconds since its video's first frame."),
    _C(name="dive", type="text", meaning="The dive that it is of."),
    _C(name="captured", type="moment", meaning="When it was filmed (UTC)."),
    _C(name="width", type="whole", needed=True, least=1, meaning="Width of the frame in px."),
    _C(name="height", type="whole", needed=True, least=1, meaning="Height of the frame in px."),
    _C(
        name="failure",
        type="text",
        needed=True,
        meaning="Why the image has no guesses; empty where it has.",
    ),
    _C(
        name="categories",
        type="list of whole",
        needed=True,
        holds_ids=True,
        meaning="The ids of the best guesses, 20 at most, best first, each once.",
    ),
    _C(
        name="names",
        type="list of text",
        along="categories",
        meaning="Their names.",
    ),
    _C(
        name="probabilities",
        type="list of number",
        needed=True,
        along="categories",
        least=0,
        most=1,
        meaning="Their probabilities; falling, unless the metadata name another ranking.",
    ),
    _C(name="novelty", type="number", needed=True, meaning="Higher is further out of training."),
    _C(
        name="unusualness",
        type="number",
        least=0,
        most=1,
        meaning="The share of validation frames that are less novel.",
    ),
    _C(
        name="novelty_scores",
        type="list of number",
        meaning="Every novelty score, as the metadata name them.",
    ),
    _C(
        name="present",
        type="list of whole",
        holds_ids=True,
        meaning="Categories that are named at the wanted precision.",
    ),
    _C(
        name="candidates",
        type="list of whole",
        holds_ids=True,
        meaning="The set that seldom misses a true category.",
    ),
    _C(name="prediction", type="text", meaning="The finest name that could be given; empty: none."),
    _C(
        name="prediction_probability",
        type="number",
        least=0,
        most=1,
        meaning="The probability of it.",
    ),
    _C(name="prediction_source", type="text", meaning="Why that and nothing finer."),
    _C(name="brightness", type="number", least=0, most=1, meaning="The mean pixel."),
    _C(
        name="evidence_images",
        type="list of whole",
        along="categories",
        least=0,
        meaning="Training images of each guess.",
    ),
    _C(
        name="evidence_dives",
        type="list of whole",
        along="categories",
        least=0,
        meaning="Their dives.",
    ),
    _C(
        name="evidence_ap",
        type="list of number",
        along="categories",
        least=0,
        most=1,
        meaning="Average precision of each guess on validation; empty where not known.",
    ),
    _C(name="answer", type="text", meaning="The one answer: a category, its group or a taxon."),
    _C(
        name="answer_level",
        type="text",
        choices=RANK_ORDER,
        meaning="Which of them the answer is; of a taxon its rank (`predict --ranks`).",
    ),
    _C(
        name="confidence",
        type="text",
        choices=(SURE, LIKELY, GUESS),
        meaning="How far to trust the answer.",
    ),
    _C(
        name="answer_probability",
        type="number",
        least=0,
        most=1,
        meaning="The probability of the answer.",
    ),
    _C(name="why", type="text", meaning="Why the answer is no finer and no surer."),
    _C(
        name="look_first",
        type="whole",
        least=1,
        meaning="Rank within the dive of the frames that a person should see first.",
    ),
    _C(
        name="vector",
        type="list of number",
        least=0,
        most=1,
        meaning="The probability of every category, in the order of the metadata's table.",
    ),
    _C(name="embedding", type="list of number", meaning="Features of the frame; finite."),
    _C(
        name="maps",
        type="list of whole",
        least=0,
        most=255,
        meaning="How much each patch says for each of the five best guesses.",
    ),
    _C(
        name="method",
        type="text",
        choices=("reviewed", "adapted", "base", "failed"),
        meaning="Of adapted predictions: how the row came about.",
    ),
)
TABLE_FOR_PEOPLE: tuple[FormatColumn, ...] = (
    _C(name="id", type="text", meaning="With `--ids`: the image_id."),
    _C(name="image", type="text", needed=True, meaning="The file, or the image_id without one."),
    _C(name="dive", type="text", needed=True, meaning="The dive."),
    _C(
        name="time",
        type="text",
        needed=True,
        meaning="Seconds in the video, or the moment (ISO 8601).",
    ),
    _C(name="depth", type="text", needed=True, meaning="Left for the depth in m."),
    _C(name="answer", type="text", needed=True, meaning="The one answer."),
    _C(
        name="confidence",
        type="text",
        needed=True,
        choices=(SURE, LIKELY, GUESS),
        meaning="How far to trust it.",
    ),
    _C(name="why", type="text", needed=True, meaning="Why it is no finer and no surer."),
    _C(
        name="guess1",
        type="text",
        needed=True,
        meaning="The best guess; `guess2` and so on the next ones, 20 at most.",
    ),
    _C(name="guess1_id", type="whole", meaning="With `--ids`: its id; `guess2_id` and so on."),
    _C(
        name="probability1",
        type="number",
        needed=True,
        least=0,
        most=1,
        meaning="Its probability, rounded; `probability2` and so on.",
    ),
    _C(
        name="unusual_percent",
        type="whole",
        needed=True,
        least=0,
        most=100,
        meaning="Percent of validation frames that are less novel.",
    ),
    _C(
        name="look_first",
        type="whole",
        needed=True,
        least=1,
        meaning="Rank within the dive of the frames to see first.",
    ),
    _C(name="failure", type="text", needed=True, meaning="Why there is no answer."),
    _C(name="width", type="whole", needed=True, least=1, meaning="Width in px."),
    _C(name="height", type="whole", needed=True, least=1, meaning="Height in px."),
    _C(
        name="method",
        type="text",
        choices=("reviewed", "adapted", "base", "failed"),
        meaning="Of adapted predictions: how the row came about.",
    ),
)
REVIEWS: tuple[FormatColumn, ...] = (
    _C(
        name="id",
        type="text",
        needed=True,
        meaning="The image_id; of several lines of one frame the last counts.",
    ),
    _C(
        name="categories",
        type="text",
        needed=True,
        meaning='Ids or names of what was seen: "3 17", "crab; fish", or a list; may be empty.',
    ),
    _C(
        name="complete",
        type="text",
        choices=("yes", "no"),
        meaning="Whether everything in the frame is named; yes if empty.",
    ),
    _C(
        name="rejected",
        type="text",
        meaning="Ids or names of what was looked for and is not there.",
    ),
    _C(name="reviewer", type="text", meaning="Who looked."),
    _C(name="time", type="text", meaning="When, in ISO 8601."),
    _C(name="names", type="text", meaning="The categories by name, beside ids."),
    _C(name="image", type="text", meaning="The file of the frame."),
    _C(name="dive", type="text", meaning="The dive of the frame."),
)
SPLIT: tuple[FormatColumn, ...] = (
    _C(name="id", type="text", needed=True, meaning="The image_id; each has one line."),
    _C(
        name="dive", type="text", needed=True, meaning="Its dive; may be empty where none is known."
    ),
    _C(
        name="part",
        type="text",
        needed=True,
        meaning="`train`, `val`, `test`, or `fold0`, `fold1` and so on.",
    ),
)
SUBMISSION: tuple[FormatColumn, ...] = (
    _C(name="id", type="text", needed=True, meaning="The image; each has one line."),
    _C(
        name="categories",
        type="text",
        needed=True,
        meaning="Ids with blanks between, 20 at most, best first, each once.",
    ),
    _C(name="osd", type="number", needed=True, meaning="Novelty: higher is further out."),
)
