"""The race as a picture: a bar an engine, as long as an event costs, with the range of the runs."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from tests.bench.peers.registry import PEERS
from tests.bench.peers.report import OURS, costs

__all__ = ["PICTURE", "picture"]

PICTURE = Path(__file__).resolve().parents[3] / "ops" / "readme" / "race.svg"
_WIDTH, _LEFT, _RIGHT, _ROW, _TOP = 860, 210, 90, 30, 46


def picture(results: Mapping[str, Any]) -> str:
    """SVG; the cheapest engine on top."""
    found = {name: sorted(each.values()) for name, each in costs(results).items()}
    titles = {peer.name: peer.title for peer in PEERS}
    order = sorted(found, key=lambda name: statistics.median(found[name]))
    scale = (_WIDTH - _LEFT - _RIGHT) / max((runs[-1] for runs in found.values()), default=1.0)
    height = _TOP + _ROW * len(order) + 14
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif">',
        f'<rect width="{_WIDTH}" height="{height}" rx="8" fill="#ffffff" stroke="#d0d7de"/>',
        '<text x="20" y="28" font-size="15" font-weight="600" fill="#1f2328">'
        "Processor time an event, the whole pipeline, in µs (shorter is better)</text>",
    ]
    for row, name in enumerate(order):
        runs, y = found[name], _TOP + row * _ROW
        middle = statistics.median(runs)
        colour, weight = ("#1a7f37", 600) if name == OURS else ("#8c959f", 400)
        end = _LEFT + middle * scale
        low, high = _LEFT + runs[0] * scale, _LEFT + runs[-1] * scale
        lines += [
            f'<text x="{_LEFT - 10}" y="{y + 17}" font-size="13" font-weight="{weight}" text-anchor="end" '
            f'fill="#1f2328">{escape(titles[name])}</text>',
            f'<rect x="{_LEFT}" y="{y + 4}" width="{middle * scale:.1f}" height="18" rx="2" fill="{colour}"/>',
            f'<path d="M{low:.1f} {y + 13}H{high:.1f}M{low:.1f} {y + 9}v8M{high:.1f} {y + 9}v8" stroke="#1f2328" '
            'stroke-width="1.2" fill="none"/>',
            f'<text x="{max(end, high) + 8:.1f}" y="{y + 17}" font-size="13" fill="#1f2328">{middle:.1f}</text>',
        ]
    return "\n".join([*lines, "</svg>"]) + "\n"
