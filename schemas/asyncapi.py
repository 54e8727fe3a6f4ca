"""The AsyncAPI 3 document: topics, what is in them, and which way it goes, seen from leadstream."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from schemas.topics import TOPICS, Topic

__all__ = ["CONTRACT_VERSION", "document"]

CONTRACT_VERSION = "1.0.0"
"""Of all contracts together: the first number is that of the folders under `schemas/examples/`."""

JSON_CONTRACTS = ("assignment", "event", "internal", "lead_score", "sla_event", "tier_change")

_EXAMPLES = Path(__file__).parent / "examples"
_PRIVATE = "private"
_OURS = ("ingest", "score", "route", "`leadstream dlq`")

_DESCRIPTION = (
    "Lead events in, tier changes out. Every raw topic takes every kind of event; unknown members of an event are "
    "ignored. What leaves is closed: an unknown member is an error. Addresses of topics may have a prefix "
    "(`TOPIC_PREFIX`), numbers are defaults."
)

_BYTES = {"type": "string", "format": "binary"}


def _cloud_event(what: str, name: str, source: str) -> dict[str, Any]:
    return {
        "type": "object",
        "description": "CloudEvents 1.0, Kafka binding, binary mode",
        "properties": {
            "ce_specversion": {"const": "1.0"},
            "ce_id": {"type": "string", "description": f"`id` of the {what}"},
            "ce_type": {"const": f"leadstream.{name}.v1"},
            "ce_source": {"const": f"leadstream/{source}"},
            "ce_time": {"type": "string", "format": "date-time", "description": "`effective_at`"},
            "ce_subject": {"type": "string", "description": "`lead_id`"},
            "content-type": {"const": "application/json"},
        },
    }


def document() -> dict[str, Any]:
    """The whole document, as JSON has it."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "leadstream",
            "version": CONTRACT_VERSION,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": {name: operation for topic in TOPICS for name, operation in _operations(topic).items()},
        "components": {"messages": _messages()},
    }


def _message_of(topic: Topic) -> str:
    """The name of what is in a topic; `dead_letter` where the contract is about the headers alone."""
    names = {"dead_letter_headers": "dead_letter", "log_record": "log_record", "routing_record": "routing_record"}
    return names.get(topic.contract, topic.contract if topic.contract in JSON_CONTRACTS else _PRIVATE)


def _channel(topic: Topic) -> dict[str, Any]:
    message = _message_of(topic)
    configuration: dict[str, Any] = {"cleanup.policy": [topic.cleanup]}
    if topic.retention_ms is not None:
        configuration["retention.ms"] = topic.retention_ms
    return {
        "address": topic.name,
        "description": f"{topic.purpose}; key: {topic.key}",
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": configuration,
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operations(topic: Topic) -> dict[str, Any]:
    ways = {
        "receive": any(reader in topic.consumer.split(", ") for reader in _OURS),
        "send": any(writer in topic.producer.split(", ") for writer in _OURS),
    }
    return {
        f"{way}-{topic.name}": {
            "action": way,
            "channel": {"$ref": f"#/channels/{topic.name}"},
            "summary": f"{topic.consumer if way == 'receive' else topic.producer}: {topic.purpose}",
        }
        for way, ours in ways.items()
        if ours
    }


def _messages() -> dict[str, Any]:
    log_record = (
        "One codec byte and the msgpack array `[safe_ms, [row, row, ...]]`; see `schemas/log.py`. "
        "`leadstream read lead-events` shows the rows as JSON lines."
    )
    routing_record = (
        "One codec byte and a msgpack array of rows; see `schemas/routing_log.py`. "
        "`leadstream read lead-routing` shows the rows as JSON lines."
    )
    private = "State of the workers with its own codecs, not meant for others; `leadstream read` shows it."
    return {
        "event": _json_message("event", "A lead did something, or something happened to it."),
        "internal": _json_message("internal", "What workers and commands ask of ingest."),
        "lead_score": _json_message("lead_score", "Where a lead stands now."),
        "tier_change": _json_message("tier_change", "A lead goes from one tier to another.")
        | {"headers": _cloud_event("tier change", "tier_change", "score")},
        "assignment": _json_message("assignment", "Who has a lead, and its clock."),
        "sla_event": _json_message("sla_event", "Something a clock did.")
        | {"headers": _cloud_event("SLA event", "sla_event", "route")},
        "log_record": {"contentType": "application/x-msgpack", "summary": log_record, "payload": _BYTES},
        "routing_record": {"contentType": "application/x-msgpack", "summary": routing_record, "payload": _BYTES},
        "dead_letter": {
            "summary": "A raw record that cannot be used, as it was.",
            "contentType": "application/octet-stream",
            "headers": {"$ref": "./json_schema/dead_letter_headers.json"},
            "payload": _BYTES,
        },
        _PRIVATE: {"contentType": "application/octet-stream", "summary": private, "payload": _BYTES},
    }


def _json_message(contract: str, summary: str) -> dict[str, Any]:
    return {
        "summary": summary,
        "contentType": "application/json",
        "payload": {"$ref": f"./json_schema/{contract}.json"},
        "examples": [
            {"name": file.stem, "payload": json.loads(file.read_text(encoding="utf-8"))}
            for file in sorted((_EXAMPLES / contract / "v1").glob("*.json"))
        ],
    }
