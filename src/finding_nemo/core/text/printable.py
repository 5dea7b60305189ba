"""Text of users (names of files, categories, dives) made safe to show on a screen or a page."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""Return `text` with every control character and lone surrogate shown, not sent.

    An escape sequence in a file's name could clear the screen or retitle the window; a name that
    is no UTF-8 cannot be encoded at all.

    Example:
        >>> printable("a\x1b[2J.jpg")
        'a\\x1b[2J.jpg'
    """
    return "".join(_shown(character) for character in text)


def one_line(words: object, *, longest: int) -> str:
    r"""Return the words of another program on one line, cut, and safe to show.

    Example:
        >>> one_line("  shapes\n  do not fit\n", longest=9)
        'shapes do'
    """
    return printable(" ".join(str(words).split())[:longest])


def _shown(character: str) -> str:
    if character.isprintable() or character == " ":
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8, as Python keeps it (PEP 383)
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
