"""What people say of a data set, which no prediction knows: title, licence, contact, platform."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from finding_nemo.core.errors import SettingsError
from finding_nemo.core.files.text_files import read_text

# From each key to what it says, as the page of the documentation lists them.
ABOUT_KEYS: Mapping[str, str] = {
    "title": "the name of the data set",
    "abstract": "what it is, in a few sentences",
    "citation": "how to cite it",
    "license": "such as https://creativecommons.org/licenses/by/4.0/",
    "copyright": "who holds the rights in the images",
    "institution": "the organization that holds the data",
    "contact": "the name of whom to ask",
    "email": "their address",
    "creators": 'names, parted by ";"',
    "principal_investigator": "who leads the work",
    "dataset_id": "a persistent id of the data set",
    "image_address": "where the images can be seen: this, and the file's name",
    "context": "the programme that the project belongs to",
    "project": "the project or expedition",
    "platform": "the vehicle",
    "camera": "the camera or its model",
    "protocol": "how the frames were taken and chosen",
    "locality": "where it was, in words",
    "water_body": "the sea or ocean",
    "country_code": "two letters, in national waters",
    "handle": "an address that stays, of the whole set",
    "video_reference_uuid": "of the video in VARS",
}


# What all forms take, Camtrap DP among them, which refuses a package with another.
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def read_about(path: Path | None) -> Mapping[str, str]:
    """Read what people say of a data set from a TOML file; nothing without one.

    Raises:
        SettingsError: If it is missing, no TOML, says what nobody asked, or has an email that is
            no address.
    """
    if path is None:
        return {}
    try:
        values = tomllib.loads(read_text(path, refusal=SettingsError))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is no TOML: {error}.") from None
    unknown = [key for key in values if key not in ABOUT_KEYS]
    if unknown:
        raise SettingsError(
            f"{path} says {unknown[0]!r}, which no form has. Known: {', '.join(ABOUT_KEYS)}."
        )
    wrong = [key for key, value in values.items() if not isinstance(value, str)]
    if wrong:
        raise SettingsError(f'{path}: {wrong[0]} must be a text in quotes, such as "...".')
    found = {key: value.strip() for key, value in values.items() if value.strip()}
    email = found.get("email", "")
    if email and not _EMAIL.fullmatch(email):
        raise SettingsError(
            f'{path}: email is {email!r}, which is no address; write one such as "ada@example.org".'
        )
    return found
