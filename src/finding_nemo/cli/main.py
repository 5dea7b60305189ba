"""The command `finding-nemo`: exit code 0 done, 1 the data or the run is bad, 2 wrong usage.

130 is Ctrl-C, 143 SIGTERM. Nothing is imported before the handlers of both stand: a person may
stop the program while it loads.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # as a checker of types sees it; typing itself takes milliseconds to load
if TYPE_CHECKING:
    from finding_nemo.cli.app import app as app
    from finding_nemo.cli.console.stopping import Stops


def run() -> None:
    """Run the command line; everything that ends it is one message on stderr.

    Raises:
        SystemExit: Always, with the exit code.
    """
    is_program = sys._getframe(1).f_globals.get("__name__") == "__main__"
    from finding_nemo.cli.console.stopping import Stops

    stops = Stops()
    try:
        stops.listen()
        code = _carried_out(stops)
    except KeyboardInterrupt:
        stops.is_told = True
        sys.stderr.write(f"finding-nemo: Stopped by {stops.cause}.\n")
        code = stops.code
    stops.end(code, is_program=is_program)


def _carried_out(stops: Stops) -> int:
    """Carry out the command line and return the exit code."""
    from finding_nemo.cli.console.streams import flush_streams, ready_streams

    ready_streams()
    code = _outcome(stops)
    unsaid = flush_streams()
    if unsaid:
        from finding_nemo.cli.console.faults import print_error

        print_error(unsaid)
    return code if unsaid is None else code or 1


def _outcome(stops: Stops) -> int:
    try:
        from finding_nemo.cli.app import app

        app()
    except BaseException as error:
        from finding_nemo.cli.console.faults import exit_code_of

        return exit_code_of(error, stops)
    return 0


def __getattr__(name: str) -> object:
    """Give `app`, whose libraries must not load before `run` has begun."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from finding_nemo.cli.app import app

    return app
