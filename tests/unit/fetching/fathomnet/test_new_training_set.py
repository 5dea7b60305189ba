"""What of an address stays when its host moves."""

from __future__ import annotations

import pytest

from finding_nemo.fetching.fathomnet.new_training_set import path_of


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://a.org/x/Frame%201.PNG?size=2", "/x/frame 1.png"),
        ("http://b.org:80/x/frame 1.png", "/x/frame 1.png"),
        ("http://[::1/Frame.png", "http://[::1/frame.png"),  # no address at all
        ("", ""),
    ],
)
def test_path__is_without_host_and_capitals(url: str, path: str) -> None:
    assert path_of(url) == path
