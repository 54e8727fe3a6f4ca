"""Maps an Apache access log (combined format) to page views.

    python -m tests.real.access_log ACCESS.log.gz > events.jsonl

A visitor is a hash of address and user agent; neither leaves this script. Pages and downloads are page views; other
assets, errors and requests that change something are left out and counted. Every line of the file is an event or is
counted as left out; the counts go to standard error.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

__all__ = ["events", "main"]

SITE = "http://www.semicomplete.com"
ASSETS = {
    *(".png", ".jpg", ".jpeg", ".gif", ".svg", ".ico", ".css", ".js", ".ttf", ".woff", ".swf"),
    *(".txt", ".xml", ".xsl", ".jar", ".map"),
}

LINE = re.compile(
    r"(?P<address>\S+) \S+ \S+ \[(?P<time>[^]]+)\] "
    r'"(?P<method>[A-Z]+) (?P<target>\S+)[^"]*" (?P<status>\d{3}) \S+ "(?P<referrer>[^"]*)" "(?P<agent>.*?)"?$'
)
"""The last field may lack its closing quote: the server cut it."""


def event_of(number: int, line: str) -> dict[str, Any] | str:
    """The event that a line becomes, or why it is left out."""
    match = LINE.match(line)
    if match is None:
        return "not an access log line"
    if match["method"] != "GET":
        return f"method {match['method']}"
    if match["status"] >= "400":
        return f"status {match['status']}"
    path = match["target"].partition("?")[0]
    if PurePosixPath(path).suffix.lower() in ASSETS:
        return "asset"
    visitor = hashlib.sha256(f"{match['address']}\0{match['agent']}".encode()).hexdigest()[:32]
    occurred_at = datetime.strptime(match["time"], "%d/%b/%Y:%H:%M:%S %z")
    event: dict[str, Any] = {
        "event_id": f"line-{number}",
        "kind": "page_view",
        "occurred_at": occurred_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "source": "web",
        "lead": {"anonymous_id": visitor},
        "url": (match["target"] if "://" in match["target"] else SITE + match["target"])[:2000],
    }
    if match["referrer"] not in ("", "-"):
        event["referrer"] = match["referrer"][:2000]
    event["user_agent"] = match["agent"][:500]
    return event


def events(path: Path, left_out: Counter[str] | None = None) -> Iterator[dict[str, Any]]:
    """Events of the file in its order; `left_out` counts the lines that become none, by reason."""
    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            event = event_of(number, line.rstrip("\n"))
            if isinstance(event, dict):
                yield event
            elif left_out is not None:
                left_out[event] += 1


def main(arguments: list[str]) -> int:
    """Writes events as JSON lines to standard output."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m tests.real.access_log ACCESS.log.gz\n")
        return 2
    left_out: Counter[str] = Counter()
    mapped = 0
    for event in events(Path(arguments[0]), left_out):
        mapped += 1
        sys.stdout.write(json.dumps(event, separators=(",", ":")) + "\n")
    sys.stderr.write(f"mapped {mapped}\nleft out {left_out.total()}: {dict(left_out)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
