"""What a worker says: libraries that repeat themselves do not fill a disk, and nothing of its own is left out."""

from __future__ import annotations

import logging

from streams.logs import SaidBefore


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def record(name: str, words: str, *values: object) -> logging.LogRecord:
    return logging.LogRecord(name, logging.ERROR, __file__, 1, words, values, None)


def test_a_library_says_the_same_once_in_ten_seconds_and_how_often() -> None:
    clock = Clock()
    said_before = SaidBefore(clock)
    written = []
    for number in range(25):
        clock.now = number * 0.5
        one = record("aiokafka.consumer", "fetch from %d failed: 100 %%", 1)
        if said_before.filter(one):
            written.append(one.getMessage())
    assert written == ["fetch from 1 failed: 100 %", "fetch from 1 failed: 100 % (and 19 times more since)"]


def test_other_words_and_our_own_are_all_written() -> None:
    said_before = SaidBefore(Clock())
    assert all(said_before.filter(record("aiokafka", "topic %s", number)) for number in range(2_000))
    assert all(said_before.filter(record("streams.watch", "not ready")) for _ in range(3))
