"""Raw events for the benchmarks: about 300 bytes of JSON each, skewed over many leads, in the mix of a real site."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from confluent_kafka import Producer

__all__ = ["fill", "raw_events", "topic_of"]

TOPICS = {
    "page_view": "page-views",
    "download": "page-views",
    "email_open": "email-opens",
    "email_sent": "email-activity",
    "email_click": "email-activity",
    "email_reply": "email-activity",
    "form_fill": "form-fills",
    "bounce": "email-bounces",
    "profile": "lead-profiles",
    "sales_activity": "sales-activity",
}
MIX = [
    ("page_view", 60),
    ("email_open", 15),
    ("email_sent", 10),
    ("email_click", 4),
    ("form_fill", 3),
    ("profile", 3),
    ("sales_activity", 2),
    ("bounce", 1),
    ("email_reply", 1),
    ("download", 1),
]
PATHS = ["/", "/blog/a", "/blog/b", "/product", "/product/api", "/pricing", "/services", "/customers", "/careers"]
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def topic_of(kind: str) -> str:
    """The raw topic of a kind."""
    return TOPICS[kind]


def raw_events(
    count: int, leads: int, seed: int = 1, span_s: int = 3600, *, even: bool = False, names: int = 1
) -> Iterator[tuple[str, str, bytes]]:
    """(kind, lead_id, JSON bytes), in order of `occurred_at` over the `span_s` seconds before now.

    Some leads are busier than others; `even`: every lead is as busy as any other. With two `names` every event has its
    lead's visitor id too, with three also an e-mail address.
    """
    chance = random.Random(seed)
    kinds = chance.choices([kind for kind, _ in MIX], [weight for _, weight in MIX], k=count)
    begin = time.time() - span_s
    for number, kind in enumerate(kinds):
        lead = f"lead-{number % leads if even else int(leads * chance.random() ** 2):07d}"
        at = datetime.fromtimestamp(begin + span_s * number / count, UTC)
        event = {
            "event_id": f"{number:08x}-5b1e-4c3a-9f60-{chance.getrandbits(48):012x}",
            "kind": kind,
            "occurred_at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "source": "bench",
            "lead": {"lead_id": lead} | dict(_other_names(lead)[: names - 1]),
        } | _fields(kind, chance, number)
        yield kind, lead, json.dumps(event, separators=(",", ":")).encode()


def _other_names(lead: str) -> list[tuple[str, str]]:
    return [("anonymous_id", f"visitor-{lead}"), ("email", f"{lead}@acme.example")]


def _fields(kind: str, chance: random.Random, number: int) -> dict[str, object]:
    match kind:
        case "page_view":
            url = "https://www.acme.example" + chance.choice(PATHS) + f"?utm={chance.randrange(50)}"
            return {"url": url, "session_id": f"s{number // 40}", "user_agent": AGENT, "dwell_ms": number % 90_000}
        case "download":
            return {"asset": chance.choice(["comparison.pdf", "rfp-template.docx"]), "url": "https://acme.example/d"}
        case "email_open":
            fields = {"message_id": f"m{number % 1000}", "campaign_id": "autumn", "user_agent": AGENT}
            return fields | {"machine": chance.random() < 0.3}
        case "form_fill":
            form = chance.choice(["demo", "contact", "newsletter"])
            return {"form_id": "f1", "form_type": form, "fields": {"topic": "price", "team": "sales", "seats": 25}}
        case "profile":
            seniority = chance.choice(["c_level", "vp", "manager", "specialist"])
            company = {"company": "Orchard Works", "company_size": chance.randrange(5, 900), "country": "DE"}
            return {"fields": {"seniority": seniority, "industry": chance.choice(["saas", "retail"]), **company}}
        case "sales_activity":
            return {"activity": chance.choice(["contacted", "meeting_booked"]), "by": "rep-1"}
        case "bounce":
            return {
                "message_id": f"m{number}",
                "bounce_type": chance.choice(["hard", "soft"]),
                "reason": "unknown",
            }
    return {"message_id": f"m{number}", "campaign_id": "autumn", "url": "https://www.acme.example/product"}


def fill(
    bootstrap: str, prefix: str, count: int, leads: int, *, seed: int = 1, even: bool = False, names: int = 1
) -> int:
    """Sends `count` raw events as fast as possible; the bytes of their values."""
    settings = {"linger.ms": 20, "batch.size": 500_000, "queue.buffering.max.messages": 1_000_000}
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, **settings})
    size = 0
    for number, (kind, lead, value) in enumerate(raw_events(count, leads, seed, even=even, names=names)):
        size += len(value)
        while True:
            try:
                producer.produce(prefix + TOPICS[kind], value, key=lead)
                break
            except BufferError:
                producer.poll(0.1)
        if not number % 5000:
            producer.poll(0)
    if producer.flush(120):
        raise SystemExit("the broker did not take every event in 120 s")
    return size
