"""Roles on a broker with log-in, TLS and ACLs: each can do its work with what `streams.acls` grants, and no more."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from schemas.topics import LEAD_SCORES, TOPICS
from scoring.routing.shipped import shipped_policy_text
from scoring.shipped import shipped_text
from streams.acls import ROLES, Role
from streams.engine.errors import BrokerUnreachable, StateRefused
from streams.settings import Settings
from streams.topics_admin import Difference
from streams.topics_alter import alter
from tests.pipeline import Pipeline
from tests.redis_server import RedisServer
from tests.security.secure_kafka import NOBODY, SecureKafka, password_of, secure_kafka

pytestmark = pytest.mark.kafka

PREFIX = "acl-"
EVENT = {"occurred_at": "2026-03-02T10:15:00Z", "source": "web", "lead": {"lead_id": "ann"}}
EVENTS: list[tuple[str, dict[str, object]]] = [
    ("profile", {"fields": {"seniority": "vp", "industry": "saas", "company_size": 200, "country": "DE"}}),
    ("page_view", {"url": "https://acme.example/pricing"}),
    ("form_fill", {"form_id": "f", "form_type": "demo"}),
]


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    with secure_kafka(tmp_path_factory.mktemp("secure")) as kafka:
        kafka.grant(PREFIX)
        yield kafka


@pytest.fixture(scope="module")
def pipeline(secured: SecureKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder = tmp_path_factory.mktemp("roles")
    with Pipeline("", PREFIX, folder, secured.settings("topics") | {"partitions": 2}) as run:
        run.command("topics", "create")
        run.command("topics", "check")
        yield run


def test_every_role_does_its_work(secured: SecureKafka, pipeline: Pipeline, redis_server: RedisServer) -> None:
    for stage in ("ingest", "score", "route"):
        pipeline.start(stage, **secured.settings(stage))
    pipeline.start("view", redis_url=redis_server.url, **secured.settings("view"))

    lines = "\n".join(
        json.dumps(EVENT | {"event_id": f"e{number}", "kind": kind} | fields)
        for number, (kind, fields) in enumerate(EVENTS)
    )
    _command(pipeline, secured, "sender", "send", "--now", "-", text=lines)
    found = _await_change(secured, "hot")
    model, policy = _second_versions(pipeline.folder)
    for command in (
        ("model", "publish", model, "--yes"),
        ("policy", "publish", policy, "--yes"),
        ("assign", "ann", "senior_2"),
        ("release", "ann"),
        ("route", "backfill"),
        ("shared",),
    ):
        _command(pipeline, secured, "operator", *command)

    assert found["lead_id"] == "ann"
    assert {name: worker.poll() for name, worker in pipeline.workers.items()} == dict.fromkeys(pipeline.workers)
    for name in pipeline.workers:
        log = pipeline.log(name).read_text()
        assert "Traceback" not in log
        assert "secret-canary" not in log
    pipeline.stop()


@pytest.mark.parametrize("role", [*ROLES, NOBODY])
def test_what_is_not_granted_is_denied(secured: SecureKafka, pipeline: Pipeline, role: str) -> None:
    may = ROLES.get(role, Role("", ())).grants
    expected = {
        topic.name: tuple(
            operation
            for operation in ("Read", "Write")
            if any(
                grant.resource == "topic" and grant.name == topic.name and operation in grant.operations
                for grant in may
            )
        )
        for topic in TOPICS
    }

    assert _allowed(secured.client(role)) == expected


@pytest.mark.parametrize("role", [*ROLES, NOBODY])
def test_settings_of_topics_are_for_one_role_alone_to_set(secured: SecureKafka, pipeline: Pipeline, role: str) -> None:
    given = secured.settings(role) | {"partitions": 2, "topic_prefix": PREFIX}
    settings = Settings.model_validate(given)
    # As they are already: other tests have the same topics.
    stamps = "message.timestamp.type", None, "LogAppendTime"
    wanted = [Difference(settings.topic(topic.name), *stamps) for topic in TOPICS]
    if role == "topics":
        alter(settings, wanted)
        return
    for one in wanted:
        with pytest.raises(StateRefused, match="leadstream topics acls topics"):
            alter(settings, [one])


@pytest.mark.parametrize(("role", "stage"), [("score", "route"), ("ingest", "score"), (NOBODY, "score")])
def test_nobody_else_can_fence_a_writer_or_join_its_group(secured: SecureKafka, role: str, stage: str) -> None:
    writer = Producer(secured.client(role) | {"transactional.id": f"{PREFIX}leadstream-{stage}-0"})
    with pytest.raises(KafkaException) as refused:
        writer.init_transactions(10)
    assert refused.value.args[0].code() == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED

    member = Consumer(secured.client(role) | {"group.id": f"{PREFIX}leadstream-{stage}"})
    member.subscribe([f"{PREFIX}lead-events"])
    try:
        assert KafkaError.GROUP_AUTHORIZATION_FAILED in _errors(member)
    finally:
        member.close()


@pytest.mark.parametrize(
    ("user", "code", "said"),
    [
        (NOBODY, 4, "or nobody is granted nothing there (see `leadstream topics acls`)"),
        ("view", 4, f"{PREFIX}leadstream-score-leads-changelog"),
    ],
)
def test_a_worker_under_a_wrong_user_says_so(
    secured: SecureKafka, pipeline: Pipeline, user: str, code: int, said: str
) -> None:
    pipeline.start("score-wrong", **secured.settings(user))

    assert pipeline.ended("score-wrong", 60) == code
    log = pipeline.log("score-wrong").read_text()
    assert said in log
    assert "Traceback" not in log


def test_a_command_that_lacks_a_right_says_whose_and_which(secured: SecureKafka, pipeline: Pipeline) -> None:
    writer = Producer(secured.client("score"))
    writer.produce(f"{PREFIX}{LEAD_SCORES}", b'{"lead_id":"ann"}', "ann")  # of an empty topic nothing need be read
    assert writer.flush(30) == 0
    pipeline.start("shared-by-view", command=("-m", "streams.cli", "shared"), **secured.settings("view"))

    assert pipeline.ended("shared-by-view", 60) == BrokerUnreachable.exit_code
    said = pipeline.log("shared-by-view").read_text()
    assert "refuses view: " in said
    assert "Group authorization failed" in said
    assert "grant what is missing (`leadstream topics acls`)" in said
    assert "Traceback" not in said


def test_a_wrong_password_is_told_and_not_repeated(secured: SecureKafka, pipeline: Pipeline) -> None:
    wrong = "secret-canary-wrong"
    pipeline.start("score-password", **secured.settings("score") | {"sasl_password": wrong})

    assert pipeline.ended("score-password", 60) == BrokerUnreachable.exit_code
    log = pipeline.log("score-password").read_text()
    assert "correct LEADSTREAM_SASL_USERNAME and LEADSTREAM_SASL_PASSWORD" in log
    assert "Traceback" not in log
    assert wrong not in log


def test_settings_do_not_print_secrets(secured: SecureKafka, pipeline: Pipeline) -> None:
    said = pipeline.command("settings", "--json").read_text()

    assert "sasl_password" in said.lower()
    assert password_of("topics") not in said


def _second_versions(folder: Path) -> tuple[str, str]:
    """Files of a model and a policy that follow those which the workers published."""
    files = {"model": shipped_text("b2b-default"), "policy": shipped_policy_text("b2b-default")}
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(re.sub(r"^version: 1$", "version: 2", text, flags=re.MULTILINE))
    return str(folder / "model.yaml"), str(folder / "policy.yaml")


def _command(pipeline: Pipeline, secured: SecureKafka, role: str, *arguments: str, text: str | None = None) -> None:
    given = {f"LEADSTREAM_{name.upper()}": str(value) for name, value in secured.settings(role).items()}
    before, pipeline.environment = pipeline.environment, pipeline.environment | given
    try:
        pipeline.command(*arguments, input_text=text)
    except subprocess.CalledProcessError as error:
        pytest.fail(f"{role}: {arguments} ended with {error.returncode}")
    finally:
        pipeline.environment = before


def _await_change(secured: SecureKafka, tier: str, within_s: float = 60) -> dict[str, object]:
    """The first change to a tier, as a reader in a group of the role `alerts` sees it."""
    reader = Consumer(
        secured.client("alerts") | {"group.id": f"{PREFIX}alerts-of-a-test", "auto.offset.reset": "earliest"}
    )
    reader.subscribe([f"{PREFIX}tier-changes", f"{PREFIX}sla-events"])
    end = time.monotonic() + within_s
    try:
        while time.monotonic() < end:
            message = reader.poll(0.5)
            if message is None:
                continue
            assert message.error() is None, message.error()
            body: dict[str, object] = json.loads(message.value() or b"{}")
            if body.get("to_tier") == tier:
                return body
    finally:
        reader.close()
    raise TimeoutError(f"no lead is {tier} after {within_s:.0f} s")


def _allowed(client: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """By topic: whether it can be read and written."""
    producer = Producer(client | {"message.timeout.ms": 10_000})
    reader = Consumer(client | {"group.id": f"{PREFIX}none", "enable.partition.eof": True, "enable.auto.commit": False})
    found = {}
    try:
        for topic in TOPICS:
            name = PREFIX + topic.name
            operations = []
            # What one may not describe looks as if it were not there: nothing can be asked of it.
            if reader.list_topics(name, 10).topics[name].error is None:
                if _may_read(reader, name):
                    operations.append("Read")
                if _may_write(producer, name):
                    operations.append("Write")
            found[topic.name] = tuple(operations)
    finally:
        reader.close()
    return found


def _may_read(reader: Consumer, name: str) -> bool:
    reader.assign([TopicPartition(name, 0, 0)])
    end = time.monotonic() + 10
    while time.monotonic() < end:
        message = reader.poll(0.2)
        if message is not None and message.topic() == name:
            error = message.error()
            return error is None or error.code() != KafkaError.TOPIC_AUTHORIZATION_FAILED
    raise TimeoutError(f"the broker does not say whether {name} may be read")


def _may_write(producer: Producer, name: str) -> bool:
    told: list[KafkaError | None] = []
    # No worker of this test reads it: all have ended.
    producer.produce(name, b"x", b"k", partition=0, on_delivery=lambda error, _: told.append(error))
    producer.flush(15)
    error = told[0]
    if error is None:
        return True
    assert error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED, error
    return False


def _errors(member: Consumer) -> Iterator[int]:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        message = member.poll(0.2)
        if message is not None and (error := message.error()) is not None:
            yield error.code()
