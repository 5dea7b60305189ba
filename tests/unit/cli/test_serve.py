"""`serve`: its token, its words, and what it says where its libraries are not installed."""

from __future__ import annotations

import getpass

import pytest
import typer

from finding_nemo.cli.console.faults import _message_of
from finding_nemo.cli.options.serve_options import reviewer_name, token_for
from finding_nemo.cli.serving_verbs.serve import tell_ready
from finding_nemo.serving.run_server import Address


def test_token__is_made_where_others_can_ask() -> None:
    assert token_for("127.0.0.1", None) is None
    made = token_for("0.0.0.0", None)  # noqa: S104
    assert made is not None
    assert len(made) >= 32
    assert made != token_for("0.0.0.0", None)  # noqa: S104
    assert token_for("localhost", "exactly-this-one") == "exactly-this-one"


@pytest.mark.parametrize("token", ["", "short", "eleven char", "with a space in it", "ä" * 20])
def test_token__that_keeps_nobody_out_is_refused(token: str) -> None:
    with pytest.raises(typer.BadParameter, match="12 characters"):
        token_for("127.0.0.1", token)


def test_reviewer__is_the_login_where_nobody_says(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("no such user")

    assert reviewer_name(" anna ") == "anna"
    monkeypatch.setattr(getpass, "getuser", lambda: "ben")
    assert reviewer_name(None) == "ben"
    monkeypatch.setattr(getpass, "getuser", nobody)
    assert reviewer_name(None) == ""


def test_ready__says_where_and_opens_only_if_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    tell_ready(Address(), 81, "the-token", opens=False)
    assert capsys.readouterr().out == (
        "Ready at http://127.0.0.1:81/#token=the-token (Ctrl-C ends it)\n"
    )
    assert opened == []
    tell_ready(Address(), 81, None, opens=True)
    assert opened == ["http://127.0.0.1:81/"]


@pytest.mark.parametrize("library", ["fastapi", "uvicorn", "python_multipart.multipart"])
def test_libraries__that_are_missing_are_named_with_their_extra(library: str) -> None:
    message = _message_of(ModuleNotFoundError("x", name=library))
    assert "This runs a server, and" in message
    assert "serve" in message
