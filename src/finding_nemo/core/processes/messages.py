"""What two processes say to each other over a pipe: a short JSON text and bytes."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

_LENGTHS = struct.Struct(">IQ")


@dataclass(frozen=True, slots=True)
class Message:
    """A request or its answer.

    Attributes:
        facts: What JSON can hold.
        content: Bytes that belong to it.
    """

    facts: Mapping[str, Any] = field(default_factory=dict)
    content: bytes | memoryview = b""


def write_message(stream: BinaryIO, message: Message) -> None:
    """Write a message, and flush.

    Raises:
        OSError: If nobody reads any more.
    """
    facts = json.dumps(message.facts).encode("ascii")
    stream.write(_LENGTHS.pack(len(facts), len(message.content)) + facts)
    stream.write(message.content)
    stream.flush()


def read_message(stream: BinaryIO) -> Message | None:
    """Return the next message, `None` where the other side ended, also in the middle of one."""
    lengths = stream.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    n_facts, n_content = _LENGTHS.unpack(lengths)
    facts, content = stream.read(n_facts), stream.read(n_content)
    if len(facts) < n_facts or len(content) < n_content:
        return None
    return Message(json.loads(facts), content)
