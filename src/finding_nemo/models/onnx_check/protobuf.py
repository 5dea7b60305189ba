"""The wire format of Protocol Buffers: read with bounds, and written field by field.

Source:
    Protocol Buffers, "Encoding", https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Sequence

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED_BYTES = {_FIXED64: 8, _FIXED32: 4}
_LONGEST_VARINT = 10
# Of one message. A network has a node for each operation and a tensor for each weight; a file of
# 2 GB could claim a thousand million fields of two bytes.
_MOST_FIELDS = 1_000_000

Raw = int | memoryview


class NotProtobufError(ValueError):
    """Bytes are no message, or are cut off."""


class Message:
    """One message: its fields by number, in order; fields inside fields are read when asked for."""

    def __init__(self, content: memoryview) -> None:
        """Read the fields.

        Raises:
            NotProtobufError: If `content` is not a message.
        """
        self._fields: dict[int, list[tuple[int, Raw]]] = {}
        position, count = 0, 0
        while position < len(content):
            number, kind, raw, position = _field(content, position)
            self._fields.setdefault(number, []).append((kind, raw))
            count += 1
            if count > _MOST_FIELDS:
                raise NotProtobufError(f"a message has more than {_MOST_FIELDS} fields")

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the fields that are there."""
        return tuple(self._fields)

    def children(self, number: int) -> Sequence[Message]:
        """Return the messages in field `number`."""
        return [Message(raw) for raw in self.chunks(number)]

    def child(self, number: int) -> Message | None:
        """Return the message in field `number`, `None` if it is not there.

        Raises:
            NotProtobufError: If it is there twice: a runtime would merge the two.
        """
        found = self.children(number)
        if len(found) > 1:
            raise NotProtobufError(f"field {number} is there {len(found)} times")
        return found[0] if found else None

    def chunks(self, number: int) -> Sequence[memoryview]:
        """Return the bytes in field `number`."""
        chunks = []
        for _, raw in self._fields.get(number, ()):
            if isinstance(raw, int):
                raise NotProtobufError(f"field {number} is a number where bytes are expected")
            chunks.append(raw)
        return chunks

    def texts(self, number: int) -> tuple[str, ...]:
        """Return the texts in field `number`."""
        try:
            return tuple(bytes(raw).decode("utf-8") for raw in self.chunks(number))
        except UnicodeDecodeError:
            raise NotProtobufError(f"field {number} holds text that is no UTF-8") from None

    def text(self, number: int) -> str:
        """Return the text in field `number`, "" if it is not there."""
        found = self.texts(number)
        if len(found) > 1:
            raise NotProtobufError(f"field {number} is there {len(found)} times")
        return found[0] if found else ""

    def integers(self, number: int) -> tuple[int, ...]:
        """Return the signed whole numbers in field `number`, packed or not."""
        found: list[int] = []
        for kind, raw in self._fields.get(number, ()):
            if isinstance(raw, int):
                if kind != _VARINT:
                    raise NotProtobufError(f"field {number} is no whole number")
                found.append(_signed(raw))
                continue
            position = 0
            while position < len(raw):
                value, position = _varint(raw, position)
                found.append(_signed(value))
        return tuple(found)

    def number(self, number: int) -> int:
        """Return the last whole number in field `number`, 0 if it is not there."""
        return (0, *self.integers(number))[-1]

    def reals(self, number: int) -> tuple[float, ...]:
        """Return the float32 numbers in field `number`, packed or not."""
        found: list[float] = []
        for kind, raw in self._fields.get(number, ()):
            if isinstance(raw, int):
                if kind != _FIXED32:
                    raise NotProtobufError(f"field {number} is no float32")
                found.append(struct.unpack("<f", raw.to_bytes(4, "little"))[0])
            elif len(raw) % 4:
                raise NotProtobufError(f"field {number} is cut off")
            else:
                found += struct.unpack(f"<{len(raw) // 4}f", raw)
        return tuple(found)

    def encoded(self, *, leaving_out: Collection[int] = ()) -> bytes:
        """Return the message as bytes, without the fields of some numbers.

        Fields of one number keep their order; between numbers the order says nothing.
        """
        parts = []
        for number, fields in self._fields.items():
            if number in leaving_out:
                continue
            for kind, raw in fields:
                if not isinstance(raw, int):
                    parts.append(encode_bytes(number, raw))
                elif kind == _VARINT:
                    parts.append(encode_number(number, raw))
                else:
                    key = _encode_varint(number << 3 | kind)
                    parts.append(key + raw.to_bytes(_FIXED_BYTES[kind], "little"))
        return b"".join(parts)


def encode_bytes(number: int, content: bytes | memoryview) -> bytes:
    """Return field `number` with bytes, which may be a text or a message."""
    return _encode_varint(number << 3 | _BYTES) + _encode_varint(len(content)) + content


def encode_number(number: int, value: int) -> bytes:
    """Return field `number` with a whole number from 0 to 2^64 - 1."""
    return _encode_varint(number << 3 | _VARINT) + _encode_varint(value)


def _encode_varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _field(content: memoryview, position: int) -> tuple[int, int, Raw, int]:
    key, position = _varint(content, position)
    number, kind = key >> 3, key & 7
    if number == 0:
        raise NotProtobufError("a field has the number 0")
    if kind == _VARINT:
        value, position = _varint(content, position)
        return number, kind, value, position
    if kind == _BYTES:
        length, position = _varint(content, position)
    elif kind in _FIXED_BYTES:
        length = _FIXED_BYTES[kind]
    else:
        raise NotProtobufError(f"field {number} is of the unknown kind {kind}")
    end = position + length
    if end > len(content):
        raise NotProtobufError(
            f"field {number} claims {length} bytes; {len(content) - position} follow"
        )
    raw = content[position:end]
    return number, kind, raw if kind == _BYTES else int.from_bytes(raw, "little"), end


def _varint(content: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(_LONGEST_VARINT):
        if position >= len(content):
            raise NotProtobufError("it ends within a number")
        byte = content[position]
        position += 1
        value |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, position
    raise NotProtobufError("a number is longer than 10 bytes")


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value
