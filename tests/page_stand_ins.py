"""Machines that pages ask, played by this one: a web server, FathomNet, WoRMS and a store."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import fsspec
from moto.server import ThreadedMotoServer

from drawn_competition import (
    fathomnet_entry,
    fathomnet_images,
    served_images,
    write_competition,
    write_zip,
)
from finding_nemo.fetching.fathomnet.fathomnet_api import API_VARIABLE as FATHOMNET_VARIABLE
from finding_nemo.fetching.worms.worms_service import API_VARIABLE as WORMS_VARIABLE
from misbehaving_server import Answer, MisbehavingServer

_N_ENTRIES = 60
_TAXA = (
    "taxonID\tacceptedNameUsageID\tscientificName\ttaxonRank\ttaxonomicStatus\n"
    "urn:lsid:marinespecies.org:taxname:126175\turn:lsid:marinespecies.org:taxname:126175\t"
    "Sebastes\tGenus\taccepted\n"
)


@contextmanager
def web(folder: Path, files: Mapping[str, bytes]) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Serve `files`, a competition's images, FathomNet's answers and those of WoRMS.

    Args:
        folder: Where the competition's zip, its table and an export of WoRMS are written.
        files: What else is served, by path.

    Yields:
        The address, and the variables that name it as FathomNet's and that of WoRMS.
    """
    served = dict(files)
    entries: list[Mapping[str, Any]] = []
    special: dict[str, Answer] = {
        "/api/images/query": lambda _, body: _fathomnet(entries, body),
        "/rest/AphiaRecordsByMatchNames": lambda path, _: _worms(path),
    }
    with MisbehavingServer(served, special=special) as server:
        entries += [fathomnet_entry(server.url, number) for number in range(_N_ENTRIES)]
        competition = write_competition(folder / "competition", site=server.url)
        served |= dict(served_images(competition)) | dict(fathomnet_images(_N_ENTRIES))
        write_zip(competition, folder / "fathomnet.zip")
        (competition / "category_key.csv").rename(folder / "category_key.csv")
        with zipfile.ZipFile(folder / "WoRMS_DwC-A.zip", "w") as archive:
            archive.writestr("taxon.txt", _TAXA)
        yield (
            server.url,
            {FATHOMNET_VARIABLE: f"{server.url}/api", WORMS_VARIABLE: f"{server.url}/rest"},
        )


def _fathomnet(
    entries: Sequence[Mapping[str, Any]], body: bytes
) -> tuple[int, dict[str, str], bytes]:
    asked = json.loads(body)
    found = [entry for entry in entries if entry["boundingBoxes"][0]["concept"] == asked["concept"]]
    page = found[asked["offset"] : asked["offset"] + asked["limit"]]
    return 200, {}, json.dumps(page).encode()


def _worms(path: str) -> tuple[int, dict[str, str], bytes]:
    names = parse_qs(urlsplit(path).query)["scientificnames[]"]
    return 200, {}, json.dumps([[_record(name)] for name in names]).encode()


def _record(name: str) -> dict[str, Any]:
    number = 100_000 + sum(name.encode())
    return {"AphiaID": number, "scientificname": name, "status": "accepted", "rank": "Genus",
            "valid_AphiaID": number, "valid_name": name, "match_type": "exact"}  # fmt: skip


@contextmanager
def store(bucket: str, files: Mapping[str, bytes]) -> Iterator[Mapping[str, str]]:
    """Serve a bucket of `files` by the protocol of S3; yields the variables that lead to it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    keys = {"key": "nobody", "secret": "nothing"}
    written = fsspec.filesystem("s3", client_kwargs={"endpoint_url": address}, **keys)
    written.mkdir(bucket)
    for name, content in files.items():
        written.pipe_file(f"{bucket}/{name}", content)
    try:
        yield {
            "AWS_ENDPOINT_URL": address,
            "AWS_ACCESS_KEY_ID": keys["key"],
            "AWS_SECRET_ACCESS_KEY": keys["secret"],
            "AWS_DEFAULT_REGION": "us-east-1",
        }
    finally:
        server.stop()
