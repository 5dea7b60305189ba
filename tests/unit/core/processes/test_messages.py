from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finding_nemo.core.processes.messages import Message, read_message, write_message


def written(*messages: Message) -> bytes:
    stream = io.BytesIO()
    for message in messages:
        write_message(stream, message)
    return stream.getvalue()


def test_one_message__is_lengths_and_both_parts() -> None:
    assert written(Message({"a": 1}, b"xyz")) == (
        b"\0\0\0\x08" + b"\0\0\0\0\0\0\0\x03" + b'{"a": 1}' + b"xyz"
    )


_TEXTS = st.text(st.characters(exclude_categories=[]))  # also half of a surrogate pair


@given(st.lists(st.tuples(st.dictionaries(_TEXTS, _TEXTS), st.binary()), max_size=4))
def test_messages__are_read_as_they_were_written(parts: list[tuple[dict[str, str], bytes]]) -> None:
    stream = io.BytesIO(written(*(Message(facts, content) for facts, content in parts)))
    for facts, content in parts:
        message = read_message(stream)
        assert message is not None
        assert (message.facts, message.content) == (facts, content)
    assert read_message(stream) is None


@pytest.mark.parametrize("length", range(len(written(Message({"a": 1}, b"xyz")))))
def test_a_message_that_ends_early__is_none(length: int) -> None:
    assert read_message(io.BytesIO(written(Message({"a": 1}, b"xyz"))[:length])) is None
