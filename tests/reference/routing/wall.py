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


@lru_cache(maxsize=1_000_000)
def shown_there(name: str, minute: int) -> tuple[str, str, str]:
    """The date, the day of the week and the time of that minute, as people write them."""
    there = on_the_wall(name, minute)
    return there.date().isoformat(), DAYS[there.weekday()], there.strftime("%H:%M")


def spans_of_week(hours: dict[str, object]) -> dict[str, list[str]]:
    return {day: spans_of(hours, day) for day in DAYS}


def works(name: str, hours: dict[str, object] | None, holidays: list[str], minute: int) -> bool:
    """Whether the minute is working time there."""
    if hours is None:
        return True
    day = shown_there(name, minute)[1]
    return is_open(name, {day: spans_of(hours, day)}, holidays, minute)


def is_open(name: str, week: dict[str, list[str]], holidays: list[str], minute: int) -> bool:
    date, day, shown = shown_there(name, minute)
    return date not in holidays and any(span[:5] <= shown < span[6:] for span in week[day])


def due(name: str, hours: dict[str, object] | None, holidays: list[str], start: int, duration: int) -> int:
    """The first moment at which so much working time has passed, counted minute by minute."""
    if hours is None:
        return start + duration
    minute, left, week = start // MINUTE, duration, spans_of_week(hours)
    while True:
        if is_open(name, week, holidays, minute):
            begin = max(start, minute * MINUTE)
            length = (minute + 1) * MINUTE - begin
            if left <= length:
                return begin + left
            left -= length
        minute += 1


def absent(name: str, away: list[str], minute: int) -> bool:
    """Whether the minute is on a day of an absence there."""
    today = shown_there(name, minute)[0]
    return any(one[:10] <= today <= one[-10:] for one in away)
