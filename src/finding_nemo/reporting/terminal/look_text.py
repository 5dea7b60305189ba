"""Guesses of one image on the terminal: bundles side by side where there is room."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from finding_nemo.core.text.printable import printable
from finding_nemo.reporting.guess_rows import (
    BundleGuesses,
    GuessRow,
    ImageGuesses,
    probability_in_words,
)
from finding_nemo.reporting.terminal.result_document import as_json, current_document
from finding_nemo.reporting.terminal.tables import print_line

_LEAST_BLOCK, _MOST_BLOCK, _GAP = 58, 92, 4
_LEAST_NAME, _USUAL_NAME, _MOST_BAR, _LEAST_BAR = 12, 30, 22, 6
_MARK, _PROBABILITY = 2, 5
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_TRUE, _BAR, _FAINT, _MISSED = "green", "cyan", "dim", "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockLayout:
    """How what bundles say is laid out, in columns of the terminal.

    Attributes:
        n_beside: Blocks beside each other.
        width: Of a block.
        name: Of names.
        bar: Of bars.
        evidence: Of what a guess rests on; 0 leaves it out.
        in_dives: Whether that is said in few words.
    """

    n_beside: int
    width: int
    name: int
    bar: int
    evidence: int
    in_dives: bool


def lay_out(width: int, *, n_blocks: int, name: int, evidence: int, dives: int) -> BlockLayout:
    """Return how blocks fit a terminal; names are cut last.

    Args:
        width: Of the terminal, in columns.
        n_blocks: How many bundles there are.
        name: Width of the longest name.
        evidence: Width of the longest words on evidence.
        dives: The same of the few words.
    """
    n_beside = n_blocks
    while n_beside > 1 and _block_width(width, n_beside) < _LEAST_BLOCK:
        n_beside -= 1
    block = min(_block_width(width, n_beside), _MOST_BLOCK)
    rest = block - _MARK - _PROBABILITY - 2
    for_name = max(min(name, _USUAL_NAME), _LEAST_NAME) + _LEAST_BAR + 2
    fitting = (each for each in (evidence, dives) if rest - each >= for_name)
    kept = next(fitting, dives if rest - dives >= _LEAST_NAME + _LEAST_BAR + 2 else 0)
    rest -= kept + 2 if kept else 0
    wide_name = max(min(name, rest - _LEAST_BAR), _LEAST_NAME)
    bar = max(min(rest - wide_name, _MOST_BAR), 1)
    return BlockLayout(
        n_beside=n_beside,
        width=block,
        name=wide_name,
        bar=bar,
        evidence=kept,
        in_dives=kept != evidence,
    )


def _block_width(width: int, n_beside: int) -> int:
    return (width - _GAP * (n_beside - 1)) // n_beside


def bar_of(share: float, width: int) -> str:
    """Return a bar of eighths of columns for a share in [0, 1], `width` columns wide."""
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


def print_look(image: ImageGuesses) -> None:
    """Write what bundles say of an image: for people on a terminal, else plain lines."""
    document = current_document()
    if document is not None:
        document.values.setdefault("images", []).append(as_json(image))
    if sys.stdout.isatty() and document is None:
        console = Console(highlight=False)
        for line in look_lines(image, console.width):
            console.print(line, no_wrap=True, crop=False, overflow="ignore")
        return
    for text in plain_lines(image):
        print_line(text)


def print_failure(path: str, failure: str) -> None:
    """Write one line on an image that could not be read."""
    print_line(f"{path}: {failure}.")


def plain_lines(image: ImageGuesses) -> Iterator[str]:
    """Yield lines for a file or a pipe, a guess a line."""
    yield f"{image.path} ({_size_in_words(image)})" if all(image.size) else image.path
    if image.truth is not None:
        yield f"truth: {_truth_in_words(image.truth)}"
    for block in image.bundles:
        yield block.bundle
        for guess in block.guesses:
            mark = " (true)" if guess.is_true else ""
            probability = probability_in_words(guess.probability)
            yield f"  {probability:>5}  {guess.name}{mark}, {guess.evidence}"
        for title, words in _below(block):
            yield f"  {title}: {words}"
    yield ""


def look_lines(image: ImageGuesses, width: int) -> Iterator[Text]:
    """Yield coloured lines for a terminal of `width` columns."""
    heading = Text(printable(image.path), style="bold")
    if all(image.size):
        heading.append(f"  {_size_in_words(image)}", style="not bold dim")
    yield heading
    if image.truth is not None:
        yield Text(f"truth: {printable(_truth_in_words(image.truth))}", style=_TRUE)
    guesses = [guess for block in image.bundles for guess in block.guesses]
    layout = lay_out(
        width,
        n_blocks=len(image.bundles),
        name=max(cell_len(printable(guess.name)) for guess in guesses),
        evidence=max(len(guess.evidence) for guess in guesses),
        dives=max(len(guess.dives) for guess in guesses),
    )
    blocks = [list(_block_lines(block, layout)) for block in image.bundles]
    for start in range(0, len(blocks), layout.n_beside):
        yield from _side_by_side(blocks[start : start + layout.n_beside], layout.width)
        yield Text("")


def _side_by_side(blocks: Sequence[Sequence[Text]], width: int) -> Iterator[Text]:
    for cells in zip_longest(*blocks):
        line = Text()
        for number, cell in enumerate(cells):
            if number:
                line.append(" " * _GAP)
            line.append_text(_fitted(cell or Text(), width))
        line.rstrip()
        yield line


def _fitted(text: Text, width: int) -> Text:
    """Return text cut or filled to `width` columns, where a letter may take two."""
    fitted = text.copy()
    fitted.truncate(width, overflow="ellipsis", pad=True)
    return fitted


def _block_lines(block: BundleGuesses, layout: BlockLayout) -> Iterator[Text]:
    heading = Text(printable(block.bundle), style="bold underline")
    if layout.evidence and layout.in_dives:
        heading.append("  dives: seen in training", style="not bold not underline dim")
    yield heading
    for guess in block.guesses:
        yield _guess_line(guess, layout)
    styles = {"also there": _MISSED}
    for title, words in _below(block):
        style = styles.get(title, _FAINT)
        yield from (Text(line, style=style) for line in _wrapped(f"{title}: {words}", layout.width))


def _guess_line(guess: GuessRow, layout: BlockLayout) -> Text:
    style = _TRUE if guess.is_true else ""
    line = Text("✓ " if guess.is_true else "  ", style=style)
    name = Text(printable(guess.name), style=f"bold {style}" if style else "")
    line.append_text(_fitted(name, layout.name))
    line.append(f" {bar_of(guess.probability, layout.bar)}", style=style or _BAR)
    line.append(f" {probability_in_words(guess.probability):>{_PROBABILITY}}", style=style)
    if layout.evidence:
        words = guess.dives if layout.in_dives else guess.evidence
        line.append(f"  {set_cell_size(words, layout.evidence)}", style=_FAINT)
    return line


def _wrapped(text: str, width: int) -> Iterator[str]:
    """Yield `text` in lines of at most `width` columns, later ones set in."""
    line = "  "
    for word in printable(text).split(" "):
        if cell_len(line) + 1 + cell_len(word) > width and line.strip():
            yield line.rstrip()
            line = "    "
        line += word + " "
    yield line.rstrip()


def _below(block: BundleGuesses) -> Iterator[tuple[str, str]]:
    """Yield what stands below the guesses: a title and its words."""
    if block.missed:
        yield "also there", ", ".join(block.missed)
    if block.answer:
        yield "answer", block.answer
    if block.novelty:
        yield "novelty", block.novelty


def _size_in_words(image: ImageGuesses) -> str:
    return f"{image.size[0]} x {image.size[1]} px"


def _truth_in_words(truth: Sequence[str]) -> str:
    return ", ".join(truth) or "nothing of the categories"
