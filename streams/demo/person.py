"""One lead of the demo: what a person can do on a web site and with e-mails, on a clock of its own.

Times are milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

__all__ = ["BLOG", "DAY", "HOUR", "MINUTE", "PRICING", "PRODUCT", "SITE", "Event", "Person"]

Event = tuple[int, dict[str, Any]]
"""When it happens, and the event without `occurred_at`: whoever tells the story sets the date."""

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000

SITE = "https://www.acme.example"
BLOG = [
    "/blog/scoring-basics",
    "/blog/align-sales",
    "/blog/kafka-for-marketers",
    "/blog/lead-times",
    "/blog/case-orchard",
]
PRODUCT = ["/product", "/product/integrations", "/customers", "/docs/start", "/about"]
PRICING = ["/pricing", "/pricing/teams", "/services"]
REFERRERS = ["https://www.google.com/", "https://www.linkedin.com/", "https://news.example/", None]
COUNTRIES = ["DE", "FR", "US", "GB", "NL", "ES", "PL", "SE"]
INDUSTRIES = ["software", "saas", "manufacturing", "retail", "education", "finance"]
SENIORITIES = ["c_level", "vp", "director", "manager", "lead", "specialist", "intern"]
COMPANIES = ["Orchard", "Northwind", "Bluebird", "Granite", "Cobalt", "Juniper", "Harbor", "Lumen", "Maple", "Quartz"]
SUFFIXES = ["Labs", "Works", "Systems", "Foods", "Energy", "Cloud", "Group", "Media"]


@dataclass(slots=True)
class Person:
    """One lead, and the clock that its story moves.

    Attributes:
        lead_id: Its name.
        chance: Its own source of chance, so that one story does not depend on another.
        now_ms: Where its story has come to.
        fits: Whether it is the sort of buyer that sales looks for.
    """

    lead_id: str
    chance: Random
    now_ms: int
    fits: bool
    count: int = field(default=0)

    def event(self, kind: str, source: str, **fields: Any) -> Event:
        """An event of this person, now."""
        self.count += 1
        body = {
            "event_id": f"{self.lead_id}-{self.count:04d}",
            "kind": kind,
            "source": source,
            "lead": {"lead_id": self.lead_id},
        }
        return self.now_ms, body | {name: value for name, value in fields.items() if value is not None}

    def wait(self, low_ms: int, high_ms: int) -> None:
        """Lets time pass; nights and weekends are slept through by most."""
        self.now_ms += self.chance.randint(low_ms, high_ms)
        hour = (self.now_ms // HOUR) % 24
        weekday = (self.now_ms // DAY + 3) % 7
        if (hour < 7 or hour > 19) and self.chance.random() < 0.9:
            self.now_ms += ((31 - hour) % 24) * HOUR + self.chance.randint(0, 3 * HOUR)
        if weekday >= 5 and self.chance.random() < 0.8:
            self.now_ms += (7 - weekday) * DAY

    def profile(self) -> Iterator[Event]:
        """What the CRM knows of this person."""
        chance = self.chance
        yield self.event(
            "profile",
            "crm",
            fields={
                "seniority": chance.choice(SENIORITIES[:5] if self.fits else SENIORITIES[3:]),
                "industry": chance.choice(INDUSTRIES[:2] if self.fits else INDUSTRIES),
                "company": f"{chance.choice(COMPANIES)} {chance.choice(SUFFIXES)}",
                "company_size": chance.randint(50, 500) if self.fits else chance.choice([3, 12, 35, 80, 900, 4000]),
                "country": chance.choice(COUNTRIES),
            },
        )

    def session(self, pages: list[str], low: int, high: int) -> Iterator[Event]:
        """A visit: some pages, one after the other."""
        chance = self.chance
        session = f"s-{self.lead_id}-{self.count}"
        referrer = chance.choice(REFERRERS)
        for _ in range(chance.randint(low, high)):
            url = SITE + chance.choice(pages)
            yield self.event("page_view", "web", url=url, session_id=session, referrer=referrer)
            referrer = url
            self.now_ms += chance.randint(10_000, 4 * MINUTE)

    def mail(self, name: str, opens: float, clicks: float = 0.0) -> Iterator[Event]:
        """A campaign's e-mail: sent, opened by a machine or a person, perhaps clicked."""
        message = f"m-{name}-{self.lead_id}"
        yield self.event("email_sent", "mailer", message_id=message, campaign_id=name)
        self.now_ms += self.chance.randint(2_000, 5 * MINUTE)
        if self.chance.random() < 0.3:
            yield self.event("email_open", "mailer", message_id=message, campaign_id=name, machine=True)
        if self.chance.random() < opens:
            self.now_ms += self.chance.randint(MINUTE, 8 * HOUR)
            yield self.event("email_open", "mailer", message_id=message, campaign_id=name, machine=False)
            if self.chance.random() < clicks:
                self.now_ms += 20_000
                url = SITE + self.chance.choice(PRODUCT)
                yield self.event("email_click", "mailer", message_id=message, campaign_id=name, url=url)

    def form(self, form_type: str) -> Iterator[Event]:
        """Fills in a form."""
        yield self.event("form_fill", "web", form_id=f"{form_type}-form", form_type=form_type, fields={"team": "sales"})

    def sales(self, activity: str) -> Iterator[Event]:
        """A colleague of sales does something."""
        yield self.event("sales_activity", "crm", activity=activity, by=f"rep-{self.chance.randint(1, 4)}")
