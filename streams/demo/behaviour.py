"""Seeded, believable B2B behaviour: what some hundred people do on a web site and with e-mails in 30 days.

Each person has a *story* (a buyer, a researcher, a reader of the newsletter, somebody who goes quiet after a demo, …).
A story is a function that yields events; the same seed tells the same stories. Times are milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from schemas.times import iso

__all__ = ["STORIES", "Event", "Person", "behaviour"]

Event = tuple[int, dict[str, Any]]
"""Milliseconds of `occurred_at`, and the event as it goes to its raw topic."""

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
            "occurred_at": iso(self.now_ms),
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


def buyer(person: Person) -> Iterator[Event]:
    """Reads, compares prices twice, asks for a demo, talks to sales."""
    yield from person.session(BLOG, 1, 3)
    person.wait(DAY, 3 * DAY)
    yield from person.mail("welcome", 0.9, 0.5)
    person.wait(HOUR, 2 * DAY)
    yield from person.session(PRODUCT + PRICING, 3, 6)
    person.wait(2 * HOUR, 2 * DAY)
    yield from person.session(PRICING, 1, 3)
    person.wait(5 * MINUTE, 3 * HOUR)
    yield from person.form("demo")
    person.wait(HOUR, DAY)
    yield from person.sales("contacted")
    person.wait(DAY, 3 * DAY)
    yield from person.sales("meeting_held")
    yield from person.mail("proposal", 0.9)
    person.wait(HOUR, 2 * DAY)
    if person.chance.random() < 0.6:
        message = f"m-proposal-{person.lead_id}"
        yield person.event("email_reply", "mailer", message_id=f"r-{message}", in_reply_to=message)


def quiet_after_demo(person: Person) -> Iterator[Event]:
    """Asks for a demo and is never heard of again."""
    yield from person.session(PRODUCT + PRICING, 2, 5)
    person.wait(10 * MINUTE, 2 * HOUR)
    yield from person.form("demo")
    person.wait(HOUR, DAY)
    yield from person.sales("contacted")
    for week in ("follow-1", "follow-2"):
        person.wait(4 * DAY, 6 * DAY)
        yield from person.mail(week, 0.1)


def researcher(person: Person) -> Iterator[Event]:
    """Comes back every few days, downloads the comparison, goes to the prices late."""
    for _ in range(person.chance.randint(2, 4)):
        yield from person.session(BLOG + PRODUCT, 2, 6)
        person.wait(2 * DAY, 5 * DAY)
    yield person.event("download", "web", asset="comparison.pdf", url=SITE + "/downloads/comparison.pdf")
    person.wait(HOUR, 3 * DAY)
    yield from person.session(PRICING, 1, 2)
    if person.chance.random() < 0.5:
        yield from person.form("contact")


def reader(person: Person) -> Iterator[Event]:
    """Subscribes and reads: opens most e-mails, clicks some, buys nothing."""
    yield from person.form("newsletter")
    for number in range(person.chance.randint(3, 6)):
        person.wait(3 * DAY, 6 * DAY)
        yield from person.mail(f"letter-{number}", 0.75, 0.2)
    if person.chance.random() < 0.2:
        yield person.event("unsubscribe", "mailer", message_id=f"m-letter-2-{person.lead_id}")


def passer_by(person: Person) -> Iterator[Event]:
    """One or two visits to the blog."""
    yield from person.session(BLOG, 1, 4)
    if person.chance.random() < 0.4:
        person.wait(DAY, 9 * DAY)
        yield from person.session(BLOG, 1, 3)


def bouncer(person: Person) -> Iterator[Event]:
    """An address that is not there."""
    yield from person.session(PRODUCT, 1, 3)
    yield from person.form("contact")
    person.wait(MINUTE, HOUR)
    message = f"m-welcome-{person.lead_id}"
    yield person.event("email_sent", "mailer", message_id=message, campaign_id="welcome")
    person.now_ms += 30_000
    yield person.event("bounce", "mailer", message_id=message, bounce_type="hard", reason="mailbox unknown")


def returner(person: Person) -> Iterator[Event]:
    """Was warm, silent for weeks, comes back to the prices and fills in a form within a day."""
    yield from person.session(PRODUCT + PRICING, 3, 5)
    yield from person.mail("welcome", 0.8)
    person.wait(13 * DAY, 18 * DAY)
    yield from person.session(PRICING, 1, 3)
    person.wait(20 * MINUTE, 6 * HOUR)
    yield from person.form("contact")


def job_seeker(person: Person) -> Iterator[Event]:
    """Looks at the careers page."""
    for _ in range(person.chance.randint(1, 3)):
        yield from person.session(["/careers", "/careers/engineer", "/about"], 2, 4)
        person.wait(DAY, 4 * DAY)


STORIES: tuple[tuple[Callable[[Person], Iterator[Event]], int, float], ...] = (
    (buyer, 3, 0.9),
    (quiet_after_demo, 2, 0.7),
    (researcher, 12, 0.5),
    (reader, 28, 0.4),
    (passer_by, 38, 0.2),
    (bouncer, 5, 0.4),
    (returner, 3, 0.7),
    (job_seeker, 9, 0.1),
)
"""Story, how often it is told, and how often its hero fits the ideal customer."""


def behaviour(seed: int, people: int, start_ms: int, end_ms: int) -> list[Event]:
    """What `people` leads do between two moments, in order of time.

    Args:
        seed: The same seed gives the same stories.
        people: How many leads.
        start_ms: The earliest `occurred_at`.
        end_ms: Nothing happens at or after this.
    """
    chance = Random(seed)
    stories = chance.choices(STORIES, [weight for _, weight, _ in STORIES], k=people)
    events: list[Event] = []
    for number, (story, _, fit) in enumerate(stories, 1):
        own = Random(chance.randrange(1 << 60))
        begin = start_ms + own.randrange(max(1, (end_ms - start_ms) * 9 // 10))
        person = Person(f"lead-{number:04d}", own, begin, own.random() < fit)
        person.wait(0, 1)
        told = [*person.profile()] if own.random() < 0.85 else []
        told.extend(story(person))
        events.extend(event for event in told if event[0] < end_ms)
    events.sort(key=lambda event: event[0])
    return events
