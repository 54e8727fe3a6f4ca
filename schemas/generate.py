"""Writes what is made of the contracts: JSON Schema files, the AsyncAPI document, the tables of README.md.

python -m schemas.generate            writes them
python -m schemas.generate --check    exit 1 and the names of those that are not what they should be
"""

from __future__ import annotations

import argparse
import json
import sys
import typing
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from schemas import asyncapi, limits
from schemas.dead_letters import DeadLetterHeaders
from schemas.events import EVENTS, Event, EventBase
from schemas.internal import InternalMessage
from schemas.outputs import LeadState, TierChange
from schemas.reasons import REASONS
from schemas.routing import Assignment, SlaEvent
from schemas.topics import KIND_TOPICS, TOPICS

__all__ = ["generated", "main"]

FOLDER = Path(__file__).parent
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DAY_MS = 86_400_000

_CONTRACTS: dict[str, tuple[Any, str]] = {
    "event": (Event, "An event of a raw topic, told apart by `kind`"),
    "internal": (InternalMessage, "A message of lead-internal, told apart by `type`"),
    "lead_score": (LeadState, "A record of lead-scores: a lead's score, or which lead an alias is"),
    "tier_change": (TierChange, "A record of tier-changes"),
    "assignment": (Assignment, "A record of lead-assignments"),
    "sla_event": (SlaEvent, "A record of sla-events"),
    "dead_letter_headers": (DeadLetterHeaders, "Headers of a record of dead-letters; values are UTF-8 text"),
}


def generated() -> dict[Path, str]:
    """Every file that is made, with the text that it should have."""
    files = {
        FOLDER / "json_schema" / f"{name}.json": _json(_schema(contract, title))
        for name, (contract, title) in _CONTRACTS.items()
    }
    files[FOLDER / "asyncapi.json"] = _json(asyncapi.document())
    readme = FOLDER / "README.md"
    files[readme] = _with_tables(readme.read_text(encoding="utf-8"))
    return files


def _schema(contract: Any, title: str) -> dict[str, Any]:
    made = TypeAdapter(contract).json_schema()
    made.pop("title", None)
    return {"$schema": _DIALECT, "title": title} | made


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _with_tables(text: str) -> str:
    """README.md, in which each table stands between its two marks."""
    for name, lines in _tables().items():
        begin, end = f"<!-- made by schemas.generate: {name} -->\n", f"<!-- end: {name} -->"
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            message = f"schemas/README.md has no {begin.strip()} … {end}"
            raise ValueError(message)
        text = before + begin + "\n".join(lines) + "\n" + end + after
    return text


def _tables() -> dict[str, list[str]]:
    topics = (
        (
            f"`{topic.name}`",
            topic.purpose,
            topic.producer,
            topic.consumer,
            topic.key,
            *_kept(topic.retention_ms),
        )
        for topic in TOPICS
    )
    return {
        "kinds": _table(("kind", "usual topic", "required", "optional"), map(_kind, EVENTS)),
        "reasons": _table(
            ("reason", "what is wrong", "what to do"),
            ((f"`{reason.name}`", reason.meaning, reason.remedy) for reason in REASONS.values()),
        ),
        "topics": _table(("topic", "what", "written by", "read by", "key", "kept"), topics),
        "limits": _table(("limit", "value"), _limits()),
    }


def _kept(retention_ms: int | None) -> tuple[str]:
    return ("compacted",) if retention_ms is None else (f"{retention_ms // _DAY_MS} days",)


def _kind(kind: str) -> tuple[str, ...]:
    own = {name: field for name, field in EVENTS[kind].model_fields.items() if name not in EventBase.model_fields}
    required = [_field(kind, name) for name, field in own.items() if field.is_required()]
    optional = [_field(kind, name) for name, field in own.items() if not field.is_required()]
    return f"`{kind}`", f"`{KIND_TOPICS[kind]}`", ", ".join(required), ", ".join(optional)


def _field(kind: str, name: str) -> str:
    annotation = EVENTS[kind].model_fields[name].annotation
    if typing.get_origin(annotation) is typing.Literal:
        return f"`{name}` ({', '.join(typing.get_args(annotation))})"
    return f"`{name}`"


def _limits() -> Iterable[tuple[str, str]]:
    for name in limits.__all__:
        value = getattr(limits, name)
        days = f" ({value // _DAY_MS} days)" if name in {"MAX_AGE_MS", "MAX_DWELL_MS"} else ""
        yield f"`{name}`", f"{value:,}{days}"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    escaped = (tuple(cell.replace("|", "\\|") for cell in row) for row in rows)
    return [f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *escaped)]


def main(arguments: list[str]) -> int:
    """Writes or checks the files."""
    parser = argparse.ArgumentParser(prog="python -m schemas.generate", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is not what it should be")
    check: bool = parser.parse_args(arguments).check
    changed = [
        (path, text)
        for path, text in generated().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path, text in changed:
        print(f"{path.relative_to(FOLDER.parent)}{': run python -m schemas.generate' if check else ''}")
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
