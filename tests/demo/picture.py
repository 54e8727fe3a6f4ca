"""The picture in the README: the board after thirty days, by the same code that a terminal shows.

python -m tests.demo.picture      # writes ops/readme/demo.svg
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from streams.demo.view import board_view
from tests.demo.past import END_MS, board_after

__all__ = ["PICTURE", "picture"]

PICTURE = Path(__file__).resolve().parents[2] / "ops" / "readme" / "demo.svg"
_WIDTH, _HEIGHT = 124, 30


def picture() -> str:
    """The board of the demo's default seed, as SVG."""
    console = Console(
        file=io.StringIO(),
        width=_WIDTH,
        height=_HEIGHT,
        record=True,
        color_system="truecolor",
        no_color=False,
        _environ={},
    )
    now = datetime.fromtimestamp(END_MS / 1000, UTC)
    console.print(board_view(board_after(7, 300, 30), now, _WIDTH, _HEIGHT))
    return console.export_svg(title="make demo")


if __name__ == "__main__":
    PICTURE.write_text(picture())
