"""The one-page document of a model: what marketing and sales agree on, for a terminal, as Markdown or as HTML."""

from __future__ import annotations

from collections.abc import Callable

from scoring.model import Model
from scoring.show.document import Document, document
from scoring.show.html import as_html
from scoring.show.markdown import as_markdown
from scoring.show.text import as_text

__all__ = ["FORMATS", "show"]

FORMATS: dict[str, Callable[[Document], str]] = {"text": as_text, "markdown": as_markdown, "html": as_html}


def show(model: Model, form: str = "text") -> str:
    """The document, with a line end at its end.

    Args:
        model: As read.
        form: One of `FORMATS`.
    """
    return FORMATS[form](document(model))
