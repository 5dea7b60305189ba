"""Names of files as text that any file format and screen can hold, and back again.

Linux gives a file any bytes for a name. Python keeps those that are no UTF-8 as lone surrogates
(PEP 383), which neither Parquet nor UTF-8 can write. Where an id or a path is made, each such byte
becomes `%x` and two digits (`caf%xE9` for Latin-1's "café"); where the file is opened, it becomes
the byte again. A `%x` that a name really holds is written `%x25x`, so that no two names share one
text. No URL holds `%x`, so names with percent escapes stay as they are.
"""

from __future__ import annotations

import re

_ESCAPE = "%x25x"
_ODD_BYTE = re.compile("[\udc80-\udcff]")
_ESCAPED = re.compile(r"%x([0-9A-F]{2})")


def text_of_name(name: str) -> str:
    r"""Return a file's name or path as text that is valid UTF-8.

    Example:
        >>> text_of_name("caf\udce9.jpg")
        'caf%xE9.jpg'
    """
    if name.isascii() and "%x" not in name:
        return name
    return _ODD_BYTE.sub(
        lambda found: f"%x{ord(found[0]) - 0xDC00:02X}", name.replace("%x", _ESCAPE)
    )


def name_of_text(text: str) -> str:
    r"""Return the file's name or path that `text_of_name` made `text` of.

    Example:
        >>> name_of_text("caf%xE9.jpg") == "caf\udce9.jpg"
        True
    """
    return text if "%x" not in text else _ESCAPED.sub(_unescaped, text)


def is_file_name(name: str) -> bool:
    """Return whether an operating system can give a file this name at all."""
    try:
        name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a character, as JSON can hold one
        return False
    return "\0" not in name


def _unescaped(found: re.Match[str]) -> str:
    byte = int(found[1], 16)
    return chr(byte) if byte < 0x80 else chr(0xDC00 + byte)
