"""Tells a webhook of every tier change and every SLA event, once each.

    python examples/alert_consumer.py 127.0.0.1:9092 https://hooks.example.com/leads alerts.db

leadstream publishes at least once: a worker that was killed says its last step again. What was told is kept in
alerts.db: the last `seq` of each lead, and the ids of SLA events. Killed between the answer of the webhook and the
commit, this tells one event again: the receiver knows it by its Idempotency-Key.
"""

import json
import sqlite3
import sys
import time
import urllib.request

from confluent_kafka import Consumer, KafkaException


def is_news(memory: sqlite3.Connection, event: dict) -> bool:
    """Whether it was not told yet; it was from the next commit on."""
    if "to_tier" in event:
        told = "INSERT INTO last VALUES (?, ?) ON CONFLICT DO UPDATE SET seq = excluded.seq WHERE seq < excluded.seq"
        return memory.execute(told, (event["lead_id"], event["seq"])).rowcount > 0
    return memory.execute("INSERT OR IGNORE INTO told VALUES (?)", (event["id"],)).rowcount > 0


def tell(webhook: str, event: dict) -> None:
    """Tells the webhook, until it takes it."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": event["id"]}
    request = urllib.request.Request(webhook, json.dumps(event).encode(), headers)
    while True:
        try:
            urllib.request.urlopen(request, timeout=10).close()
            return
        except OSError as error:  # refused, cut, timed out, or answered with an error
            print(f"{webhook}: {error}; trying again", file=sys.stderr)
            time.sleep(1)


def main(brokers: str, webhook: str, file: str, prefix: str = "") -> None:
    """Tells what comes, for ever."""
    memory = sqlite3.connect(file)
    memory.execute("CREATE TABLE IF NOT EXISTS last (lead TEXT PRIMARY KEY, seq INTEGER)")
    memory.execute("CREATE TABLE IF NOT EXISTS told (id TEXT PRIMARY KEY)")
    group = {"group.id": f"{prefix}alerts", "group.instance.id": "1", "session.timeout.ms": 10_000}
    start = {"auto.offset.reset": "earliest", "enable.auto.commit": False}
    consumer = Consumer({"bootstrap.servers": brokers, **group, **start})
    consumer.subscribe([f"{prefix}tier-changes", f"{prefix}sla-events"])
    while True:
        record = consumer.poll(1.0)
        if record is None:
            continue
        if record.error():
            raise KafkaException(record.error())
        event = json.loads(record.value())
        if is_news(memory, event):
            tell(webhook, event)
        memory.commit()
        consumer.commit(record, asynchronous=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
