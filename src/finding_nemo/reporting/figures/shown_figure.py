"""A figure that a person gets: it shows itself in a notebook, and names in it as they are."""

from __future__ import annotations

import io
from typing import Any

from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure

from finding_nemo.reporting.figures.svg import names_as_text, save_png


class ShownFigure(Figure):
    """A matplotlib figure without pyplot, so that it needs no display and is closed by itself.

    Whenever it is drawn, a name such as "$5 crab" is a name and no mathematics.
    """

    def draw(self, renderer: RendererBase) -> None:
        """Draw it with names as they are."""
        with names_as_text():
            super().draw(renderer)

    def savefig(self, fname: Any, **options: Any) -> None:  # noqa: ANN401
        """Write it to a file, in the format of the name's suffix; see matplotlib."""
        with names_as_text():
            super().savefig(fname, **options)

    def _repr_png_(self) -> bytes:
        content = io.BytesIO()
        with names_as_text():
            save_png(self, content)
        return content.getvalue()
