"""Servers in processes of their own, for the tests of what only a whole server does."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any


@dataclass
class RunningServer:
    """A server in a process of its own.

    Attributes:
        process: The process.
        port: Where it listens.
    """

    process: subprocess.Popen[str]
    port: int

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | Iterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Any, Mapping[str, str]]:
        """Send one request, and return status, JSON (or bytes) and headers."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            named = dict(headers or {})
            in_chunks = "Transfer-Encoding" in named
            connection.request(method, path, body, named, encode_chunked=in_chunks)
            reply = connection.getresponse()
            content = reply.read()
            told = {name.lower(): value for name, value in reply.getheaders()}
            is_json = told.get("content-type") == "application/json"
            return reply.status, json.loads(content) if is_json else content, told
        finally:
            connection.close()

    def post(self, path: str, content: bytes, kind: str) -> tuple[int, Any]:
        """Post a body, and return status and JSON."""
        return self.ask("POST", path, content, {"Content-Type": kind})[:2]

    def memory_mb(self) -> float:
        """Return the most memory that the process ever held, in MB."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", text)
        assert found is not None
        return int(found[1]) / 1000

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str, str]:
        """Send a signal and return exit code, stdout and stderr."""
        self.process.send_signal(number)
        out, told = self.process.communicate(timeout=60)
        return self.process.returncode, out, told

    def end(self) -> None:
        """End it at once, if it still runs."""
        self.process.kill()
        self.process.communicate()


def start(verb: str, *words: str) -> RunningServer:
    """Start a server on a free port and wait until it is ready."""
    command = [sys.executable, "-W", "error", "-m", "finding_nemo", verb, *words, "--port", "0"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, bufsize=1
    )
    assert process.stdout is not None
    line = ""
    for line in process.stdout:
        found = re.search(r"Ready at http://[^/]*:(\d+)/", line)
        if found:
            return RunningServer(process, int(found[1]))
    raise AssertionError(f"no server: {line} {process.communicate()}")


def multipart(*files: tuple[str, bytes]) -> tuple[bytes, str]:
    """Return a body with files and its type."""
    parts = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="f"; filename="%b"\r\n\r\n%b\r\n'
        % (name.encode(), content)
        for name, content in files
    )
    return parts + b"--b--\r\n", "multipart/form-data; boundary=b"
