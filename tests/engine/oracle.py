"""Recounts a counter's log by itself and compares everything that the worker wrote. Shares no code with the fold."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

__all__ = ["Verdict", "judge", "read_topic"]

decode = msgspec.msgpack.decode


@dataclass
class Verdict:
    """What is wrong; nothing where the worker is exact. Duplicates with the same body are allowed, and counted."""

    rows: int = 0
    changes: int = 0
    alarms: int = 0
    duplicates: int = 0
    unread: int = 0
    pending: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def exact(self) -> bool:
        return not self.wrong and not self.unread


def read_topic(bootstrap: str, topic: str) -> dict[int, list[Message]]:
    """All records of a topic, by partition."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "oracle",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 10,
            "log_level": 0,
        }
    )
    partitions = list(consumer.list_topics(topic, 10).topics[topic].partitions)
    found: dict[int, list[Message]] = {partition: [] for partition in partitions}
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions])
    ended: set[int | None] = set()
    while len(ended) < len(partitions):
        for message in consumer.consume(1000, 0.05):
            if message.error():
                ended.add(message.partition())
            else:
                found[message.partition() or 0].append(message)
    consumer.close()
    return found


class Recount:
    """The counter's rules, told once more."""

    def __init__(self) -> None:
        self.count: Counter[str] = Counter()
        self.total: Counter[str] = Counter()
        self.seq: Counter[str] = Counter()
        self.due: dict[str, int] = {}
        self.changes: dict[str, dict[str, Any]] = {}
        self.rows = self.alarms = 0

    def read(self, messages: list[Message]) -> None:
        now, timers = 0, list[tuple[int, str]]()
        for message in messages:
            for index, (name, amount, at) in enumerate(decode(message.value() or b"")):
                now = max(now, at)
                while timers and timers[0][0] <= now:
                    due, who = heapq.heappop(timers)
                    if self.due.get(who) == due:
                        self.due[who] = 0
                        self.change(who, f"deadline {due}")
                if name.startswith("\0"):
                    self.alarms += 1
                    continue
                self.rows += 1
                self.count[name] += 1
                self.total[name] += amount
                if self.count[name] % 7 == 0:
                    self.due[name] = at + 1_000
                    heapq.heappush(timers, (at + 1_000, name))
                if self.count[name] % 10 == 0:
                    self.change(name, f"{message.offset()}/{index}")

    def change(self, name: str, cause: str) -> None:
        self.seq[name] += 1
        body = {"seq": self.seq[name], "count": self.count[name], "total": self.total[name], "cause": cause}
        self.changes[f"{name}:{self.seq[name]}"] = {"id": f"{name}:{self.seq[name]}", **body}


def judge(bootstrap: str, prefix: str) -> Verdict:
    """Compares rows, changes and their bodies, scores, order and checkpoints with a recount of the log."""
    log = read_topic(bootstrap, f"{prefix}-log")
    recounts = {partition: Recount() for partition in log}
    for partition, messages in log.items():
        recounts[partition].read(messages)
    verdict = Verdict(
        rows=sum(recount.rows for recount in recounts.values()),
        alarms=sum(recount.alarms for recount in recounts.values()),
        pending=sum(bool(due) for recount in recounts.values() for due in recount.due.values()),
    )
    _judge_changelog(verdict, log, recounts, read_topic(bootstrap, f"{prefix}-counter-changelog"))
    _judge_changes(verdict, recounts, read_topic(bootstrap, f"{prefix}-changes"))
    _judge_scores(verdict, recounts, read_topic(bootstrap, f"{prefix}-scores"))
    return verdict


def _judge_changelog(
    verdict: Verdict,
    log: dict[int, list[Message]],
    recounts: dict[int, Recount],
    changelog: dict[int, list[Message]],
) -> None:
    for partition, recount in recounts.items():
        rows: dict[str, list[int]] = {}
        done = 0
        for message in changelog[partition]:
            key, value = message.key() or b"", message.value() or b""
            if key == b"\0checkpoint":
                done = decode(value[1:])[0]
            elif key[:1] != b"\0":
                row = decode(value)
                if row[2] < rows.get(key.decode(), [0, 0, 0])[2]:
                    verdict.wrong.append(f"row of {key!r} goes backwards at changelog offset {message.offset()}")
                rows[key.decode()] = row
        end = (log[partition][-1].offset() or 0) + 1 if log[partition] else 0
        verdict.unread += max(0, end - done)
        if verdict.unread:
            continue
        want = {n: [1, recount.seq[n], c, recount.total[n], recount.due.get(n, 0)] for n, c in recount.count.items()}
        wrong = [name for name in want.keys() | rows.keys() if want.get(name) != rows.get(name)]
        verdict.wrong += [f"row of {name}: {rows.get(name)}, not {want.get(name)}" for name in wrong]


def _judge_changes(verdict: Verdict, recounts: dict[int, Recount], changes: dict[int, list[Message]]) -> None:
    for partition, recount in recounts.items():
        found: dict[str, Any] = {}
        for message in changes[partition]:
            body = decode(message.value() or b"")
            if body["id"] in found:
                verdict.duplicates += 1
                if body != found[body["id"]]:
                    verdict.wrong.append(f"{body['id']} has two bodies: {body} and {found[body['id']]}")
            elif body["seq"] > 1 and f"{body['id'].rsplit(':', 1)[0]}:{body['seq'] - 1}" not in found:
                verdict.wrong.append(f"{body['id']} is published before its predecessor")
            found.setdefault(body["id"], body)
            if dict(message.headers() or []).get("id") != body["id"].encode():
                verdict.wrong.append(f"{body['id']} has the headers {message.headers()}")
        verdict.changes += len(recount.changes)
        if verdict.unread:
            continue
        wrong = [i for i in recount.changes.keys() | found.keys() if recount.changes.get(i) != found.get(i)]
        verdict.wrong += [f"change {i}: {found.get(i)}, not {recount.changes.get(i)}" for i in wrong]


def _judge_scores(verdict: Verdict, recounts: dict[int, Recount], scores: dict[int, list[Message]]) -> None:
    if verdict.unread:
        return
    for partition, recount in recounts.items():
        last = {m.key() or b"": m.value() for m in scores[partition] if (m.key() or b"")[:1] != b"\0"}
        for name, seq in recount.seq.items():
            value = last.get(name.encode())
            if value is None or decode(value)[0] != seq:
                verdict.wrong.append(f"score of {name}: {value!r}, not of change {seq}")
