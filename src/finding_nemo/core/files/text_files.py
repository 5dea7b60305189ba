"""The one reader of text: whatever program saved it, the same text comes out, or one refusal.

Byte-order marks are understood (Excel and Windows write them), UTF-16 without one where zero bytes
alternate with letters, and any of the three newlines. Latin-1, Windows-1252 and their like are
refused: nothing in a file says which of them it is, and a wrong guess would give a name that no
file has. Only regular files are opened; a named pipe or a device would never end.
"""

from __future__ import annotations

import codecs
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from finding_nemo.core.errors import FindingNemoError
from finding_nemo.core.files.input_limits import USUAL_LIMITS

Refusal = type[FindingNemoError]

_CHUNK_BYTES = 1 << 20
# A row of JSON with 290 probabilities and 2,000 features is 60 kB.
_MAX_LINE_CHARACTERS = 16 << 20
# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_HOW_TO_SAVE = (
    'Save the file as UTF-8 (in Excel: "CSV UTF-8"; on a command line: '
    "iconv -f WINDOWS-1252 -t UTF-8)."
)


def open_regular(path: Path, *, refusal: Refusal) -> BinaryIO:
    """Open a file for reading its bytes.

    Raises:
        FindingNemoError: As `refusal`, if it does not exist, may not be read, or is no regular
            file.
    """
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISREG(mode):
            return path.open("rb")
    except FileNotFoundError:
        raise refusal(f"The file {path} cannot be read: it does not exist.") from None
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        reason = getattr(error, "strerror", None) or error
        raise refusal(f"The file {path} cannot be read: {reason}.") from None
    what = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
    raise refusal(f"{path} is {what}; name a file.")


def read_text(path: Path, *, refusal: Refusal) -> str:
    """Return the whole text of a file, newlines as they are.

    Raises:
        FindingNemoError: As `refusal`, if it cannot be read as text; with the line and the byte.
    """
    with open_regular(path, refusal=refusal) as stream:
        return "".join(_pieces(stream, str(path), refusal))


def read_head(path: Path, n_bytes: int) -> str:
    """Return the text with which a file begins; "" where it cannot be read at all.

    To see what kind of file it is: bytes that are no text become U+FFFD, and nothing is refused.
    """
    try:
        with open_regular(path, refusal=FindingNemoError) as stream:
            head = stream.read(n_bytes)
    except (FindingNemoError, OSError):
        return ""
    encoding, mark = _encoding_of(head)
    return head[mark:].decode(encoding, errors="replace")


def read_lines(path: Path, *, refusal: Refusal) -> Iterator[str]:
    """Yield the lines of a file as `text_lines` does."""
    with open_regular(path, refusal=refusal) as stream:
        yield from text_lines(stream, str(path), refusal=refusal)


def text_lines(stream: BinaryIO, name: str, *, refusal: Refusal) -> Iterator[str]:
    r"""Yield the lines of an open file with their ends (`\n`, `\r\n` or `\r`), a few at a time.

    Args:
        stream: The file's bytes, from the first on.
        name: What to call it in a message.
        refusal: The class of error to raise.

    Raises:
        FindingNemoError: As `refusal`, if it cannot be read as text; with the line and the byte.
    """
    whole = io.IncrementalNewlineDecoder(None, translate=False)  # keeps "\r\n" in one piece
    rest = ""
    for piece in _pieces(stream, name, refusal):
        lines = list(io.StringIO(rest + whole.decode(piece), newline=""))
        rest = lines.pop() if lines and not lines[-1].endswith(("\n", "\r")) else ""
        yield from lines
        if len(rest) > _MAX_LINE_CHARACTERS:
            raise refusal(
                f"{name} has a line of more than {_MAX_LINE_CHARACTERS:,} characters: it is no "
                "text file with one entry a line."
            )
    yield from io.StringIO(rest + whole.decode("", final=True), newline="")


def _pieces(stream: BinaryIO, name: str, refusal: Refusal) -> Iterator[str]:
    chunk = stream.read(_CHUNK_BYTES)
    encoding, mark = _encoding_of(chunk)
    decoder = codecs.getincrementaldecoder(encoding)()
    n_read, line = len(chunk), 1
    chunk = chunk[mark:]
    while True:
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            raise refusal(_undecodable(error, name, encoding, line, n_read)) from None
        if "\0" in text:
            at = line + _newlines(text[: text.index("\0")])
            raise refusal(
                f"{name}, line {at}: holds a zero byte. It is no text file, or it is damaged."
            )
        yield text
        if not chunk:
            return
        line += _newlines(text)
        chunk = stream.read(_CHUNK_BYTES)
        n_read += len(chunk)
        if n_read > USUAL_LIMITS.max_text_bytes:
            raise refusal(
                f"{name} holds more than {USUAL_LIMITS.max_text_bytes // 10**6:,} MB, the most "
                "that is read as text."
            )


def _encoding_of(start: bytes) -> tuple[str, int]:
    """Return the encoding of a file that begins with `start`, and the length of its mark."""
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding, len(mark)
    sample = start[:4096]
    zeros_first, zeros_second = sample[0::2].count(0), sample[1::2].count(0)
    enough = max(1, (len(sample) + 3) // 4)  # half of the letters are ASCII
    if zeros_second >= enough and not zeros_first:
        return "utf-16-le", 0
    if zeros_first >= enough and not zeros_second:
        return "utf-16-be", 0
    return "utf-8", 0


def _undecodable(
    error: UnicodeDecodeError, name: str, encoding: str, line: int, n_read: int
) -> str:
    before = error.object[: error.start].decode(encoding, errors="replace")
    offset = n_read - len(error.object) + error.start
    label = encoding.upper().removesuffix("-LE").removesuffix("-BE")
    return (
        f"{name}, line {line + _newlines(before)}: byte 0x{error.object[error.start]:02x} (number "
        f"{offset + 1} of the file) is not {label}. {_HOW_TO_SAVE}"
    )


def _newlines(text: str) -> int:
    return text.count("\n") + text.count("\r") - text.count("\r\n")
