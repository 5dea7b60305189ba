"""A browser for pages: the system's chromium, driven by playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium without a window; tests are skipped where it is not there."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        pytest.skip("no browser: playwright is not installed (pip install playwright)")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no browser: there is no chromium (apt-get install chromium)")
    with sync_playwright() as tools:
        # Root, as in a container, has no sandbox.
        started = tools.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()
