"""A bundle's own numbers of the adaptation, as JSON; what they mean, `adaptation/` knows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from finding_nemo.core.errors import BundleError
from finding_nemo.core.files.atomic_files import write_text
from finding_nemo.models.bundle.bundle import Bundle, list_files, unlist_files
from finding_nemo.models.bundle.bundle_files import ADAPTATION, read_file_of


def write_adaptation_numbers(bundle: Bundle, numbers: Mapping[str, Any]) -> Bundle:
    """Write the numbers into the bundle and return it with their hash listed.

    Args:
        bundle: On the disk.
        numbers: JSON-ready.
    """
    bundle = unlist_files(bundle, ADAPTATION)
    write_text(bundle.path / ADAPTATION, json.dumps(numbers, indent=2, sort_keys=True) + "\n")
    return list_files(bundle, ADAPTATION)


def adaptation_numbers(bundle: Bundle) -> dict[str, Any] | None:
    """Return the numbers that a bundle brings; `None` where it brings none, as older ones do.

    Raises:
        BundleError: If the file was changed, or holds no JSON object.
    """
    path = bundle.path / ADAPTATION
    if not path.is_file():
        return None
    content = read_file_of(bundle.path, ADAPTATION, bundle.manifest.files)
    try:
        numbers = json.loads(content)
    except ValueError as error:  # of which what is no UTF-8 is one kind
        raise BundleError(f"{path} is no JSON: {error}. Train or copy the bundle again.") from None
    if not isinstance(numbers, dict):
        raise BundleError(f"{path} holds no JSON object. Train or copy the bundle again.")
    return numbers
