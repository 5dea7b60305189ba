"""`finding-nemo serve BUNDLE`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from finding_nemo.cli.console.words import print_result
from finding_nemo.cli.options import predict_options as of_predict
from finding_nemo.cli.options import serve_options as options
from finding_nemo.cli.options.dataset_options import DivePattern
from finding_nemo.core.names.inference_names import AUTO

if TYPE_CHECKING:
    from finding_nemo.serving.run_server import Address

EXAMPLES = (
    "finding-nemo serve runs/nemo",
    "finding-nemo serve runs/nemo --folder dive-0297-session --open",
    "finding-nemo serve runs/nemo --host 0.0.0.0 --port 8000",
)


def serve(
    bundle: of_predict.Bundle,
    port: options.Port = 8765,
    host: options.Host = "127.0.0.1",
    token: options.Token = None,
    allow_host: options.AllowHost = None,
    folder: options.Folder = None,
    open_page: options.Open = False,
    reviewer: options.Reviewer = None,
    precision: of_predict.Precision = 0.9,
    every: of_predict.Every = None,
    dive_pattern: DivePattern = None,
    dtype: of_predict.Dtype = AUTO,
    runtime: of_predict.Runtime = AUTO,
    device: of_predict.Device = AUTO,
    max_files: options.MaxFiles = 64,
    max_file_mb: of_predict.MaxFileMb = 64,
    max_megapixels: of_predict.MaxMegapixels = 100,
    max_request_mb: options.MaxRequestMb = 128,
    max_video_mb: options.MaxVideoMb = 4000,
    max_queue: options.MaxQueue = 512,
    header_seconds: options.HeaderSeconds = 10,
    body_seconds: options.BodySeconds = 20,
) -> None:
    """Serve a bundle: a page to drop frames on, and an API for programs.

    Ctrl-C ends it; what was asked before is answered first.
    """
    if not 0 < precision <= 1:
        raise typer.BadParameter(f"--precision must be in (0, 1], got {precision}.")
    from finding_nemo.cli.console.notices import reporter
    from finding_nemo.cli.prediction_verbs.predict import network_options, wrong_usage
    from finding_nemo.prediction.sources.image_sources import parse_interval
    from finding_nemo.serving.middleware.access import access_rules
    from finding_nemo.serving.middleware.request_limits import MB, RequestLimits
    from finding_nemo.serving.run_server import Address
    from finding_nemo.serving.serve_bundle import ServeOptions, serve_bundle

    with wrong_usage():
        every_s = 1.0 if every is None else parse_interval(every)
    rules = access_rules(host, options.token_for(host, token), allow_host or ())
    address = Address(host=host, port=port)
    chosen = ServeOptions(
        address=address,
        rules=rules,
        limits=RequestLimits(
            max_files=max_files,
            max_file_bytes=round(max_file_mb * MB),
            max_pixels=round(max_megapixels * MB),
            max_request_bytes=round(max_request_mb * MB),
            max_video_bytes=round(max_video_mb * MB),
            max_queue_images=max_queue,
            header_s=header_seconds,
            body_s=body_seconds,
        ),
        folder=folder,
        reviewer=options.reviewer_name(reviewer),
        every_s=every_s,
        dive_pattern=dive_pattern,
        precision=precision,
        network=network_options(dtype, runtime, device),
    )
    serve_bundle(
        bundle,
        chosen,
        on_ready=lambda found: tell_ready(address, found, rules.token, opens=open_page),
        reporter=reporter(),
    )
    print_result("Stopped: all that was accepted is answered.")


def tell_ready(address: Address, port: int, token: str | None, *, opens: bool) -> None:
    """Print where the page is, and open it if that is wanted.

    Args:
        address: As asked for.
        port: Where the server listens.
        token: What clients must send, if anything.
        opens: Whether the page is opened in a browser.
    """
    url = address.url(port, token=token)
    print_result(f"Ready at {url} (Ctrl-C ends it)")
    if opens:
        import webbrowser

        webbrowser.open(url)
