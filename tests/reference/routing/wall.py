"""Local time, minute by minute. Every change of a zone's offset that is looked at falls on a whole minute."""

import datetime as dt
from functools import cache, lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

MINUTE = 60_000
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@cache
def zone(name: str) -> ZoneInfo:
    with resources.files("tzdata.zoneinfo").joinpath(name).open("rb") as file:
        return ZoneInfo.from_file(file)


@lru_cache(maxsize=1_000_000)
def on_the_wall(name: str, minute: int) -> dt.datetime:
    """What a clock there shows in the minute that begins then."""
    return (EPOCH + dt.timedelta(minutes=minute)).astimezone(zone(name)).replace(tzinfo=None)


def spans_of(hours: dict[str, object], day: str) -> list[str]:
    for key, value in hours.items():
        first, _, last = key.partition("-")
        if DAYS.index(first) <= DAYS.index(day) <= DAYS.index(last or first):
            return [str(one) for one in value] if isinstance(value, list) else [str(value)]
    return []


def works(name: str, hours: dict[str, object] | None, holidays: list[str], minute: int) -> bool:
    """Whether the minute is working time there."""
    if hours is None:
        return True
    there = on_the_wall(name, minute)
    if there.date().isoformat() in holidays:
        return False
    shown = there.strftime("%H:%M")
    return any(span[:5] <= shown < span[6:] for span in spans_of(hours, DAYS[there.weekday()]))


def due(name: str, hours: dict[str, object] | None, holidays: list[str], start: int, duration: int) -> int:
    """The first moment at which so much working time has passed, counted minute by minute."""
    if hours is None:
        return start + duration
    minute, left = start // MINUTE, duration
    while True:
        if works(name, hours, holidays, minute):
            begin = max(start, minute * MINUTE)
            length = (minute + 1) * MINUTE - begin
            if left <= length:
                return begin + left
            left -= length
        minute += 1


def absent(name: str, away: list[str], minute: int) -> bool:
    """Whether the minute is on a day of an absence there."""
    today = on_the_wall(name, minute).date().isoformat()
    return any(one.partition("..")[0] <= today <= (one.partition("..")[2] or one) for one in away)
