"""Models for the benchmarks: the shipped one with all its rules many times."""

from __future__ import annotations

import re
from pathlib import Path

from scoring.shipped import shipped_text

__all__ = ["times_rules"]

_RULE = re.compile(r"^    ([a-z_0-9]+): +\{.*\n", re.MULTILINE)


def times_rules(times: int, folder: Path) -> Path:
    """`b2b-default` with each rule so many times, under names of their own, in groups of their own."""
    text = shipped_text("b2b-default")
    head, _, rest = text.partition("\nrules:\n")
    body, tail = re.split(r"^(?=[a-z])", rest, maxsplit=1, flags=re.MULTILINE)

    def copies(match: re.Match[str]) -> str:
        rule, name = match[0], match[1]
        more = [
            re.sub(r"group: ([a-z_0-9]+)", rf"group: \1_{number}", rule.replace(f"{name}:", f"{name}_{number}:", 1))
            for number in range(2, times + 1)
        ]
        return "".join([rule, *more])

    path = folder / f"rules-{times}.yaml"
    path.write_text(f"{head}\nrules:\n{_RULE.sub(copies, body)}{tail}", encoding="utf-8")
    return path
