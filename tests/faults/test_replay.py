"""The whole log is read anew, by a group that knows nothing: what was told is told again, under the same ids."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from schemas.topics import LEADS_CHANGELOG, TIER_CHANGES
from tests.faults.conftest import MakeTrial
from tests.faults.load import Load
from tests.faults.sizes import SEED, size
from tests.faults.test_kills import publish_next_model
from tests.kafka.broker import KafkaBroker
from tests.streams.live import wait_for

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


def test_a_replay_by_a_new_group_gives_the_same_ids_and_bodies(kafka: KafkaBroker, make_trial: MakeTrial) -> None:
    """Timers and a second model among them: what they did depends on the log alone."""
    trial = make_trial(kafka)
    trial.begin()
    trial.ready("score")
    with Load(trial, SEED):
        time.sleep(size(5, 120))
        publish_next_model(trial)
        time.sleep(size(3, 120))
    trial.settled()
    once = Counter(record.value for record in trial.read(TIER_CHANGES))

    admin = AdminClient({"bootstrap.servers": trial.bootstrap})
    wait_for(lambda: is_deleted(admin, f"{trial.prefix}leadstream-score"))
    admin.delete_topics([trial.prefix + LEADS_CHANGELOG])[trial.prefix + LEADS_CHANGELOG].result(20)
    trial.command("topics", "create")
    trial.judge(doubles=False)
    twice = Counter(record.value for record in trial.read(TIER_CHANGES))
    assert set(once) == set(twice)
    assert all(twice[value] == 2 * times for value, times in once.items())


def is_deleted(admin: AdminClient, group: str) -> bool:
    """Whether the group is gone; not before its members' sessions have ended."""
    with suppress(KafkaException):
        admin.delete_consumer_groups([group])[group].result(20)
        return True
    return False
