"""What leads do in 30 days: a buyer, a researcher, readers of the newsletter, somebody who goes quiet after a demo.

A story is a function that yields the events of one person; the same chance tells the same story.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from streams.demo.person import BLOG, DAY, HOUR, MINUTE, PRICING, PRODUCT, SITE, Event, Person

__all__ = ["STORIES", "Story"]

Story = Callable[[Person], Iterator[Event]]


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
    """Asks for a demo and is never heard of again, whatever sales tries."""
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
    yield from _called(person)


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
    yield from _called(person)


def job_seeker(person: Person) -> Iterator[Event]:
    """Looks at the careers page."""
    for _ in range(person.chance.randint(1, 3)):
        yield from person.session(["/careers", "/careers/engineer", "/about"], 2, 4)
        person.wait(DAY, 4 * DAY)


def _called(person: Person) -> Iterator[Event]:
    """Sales sees who is worth a call, and is mostly in time; some get a meeting, some turn out to be nothing."""
    if not person.fits or person.chance.random() < 0.1:
        return
    person.wait(HOUR, 14 * HOUR)
    yield from person.sales("contacted")
    outcome = person.chance.choices(["meeting_booked", "discarded", None], [6, 1, 3])[0]
    if outcome is not None:
        person.wait(HOUR, 2 * DAY)
        yield from person.sales(outcome)


STORIES: tuple[tuple[Story, int, float], ...] = (
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
