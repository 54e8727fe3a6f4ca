"""A broker with log-in, TLS and ACLs, where every role of `streams.acls` has a user of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)

from streams.acls import ROLES, grants
from streams.settings import Settings
from tests.kafka.broker import KafkaBroker
from tests.kafka.keystore import Keystore, new_keystore

__all__ = ["NOBODY", "SecureKafka", "password_of", "secure_kafka"]

NOBODY = "nobody"
"""A user who is granted nothing."""

_RESOURCES = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactional-id": ResourceType.TRANSACTIONAL_ID,
}
_OPERATIONS = {
    "Read": AclOperation.READ,
    "Write": AclOperation.WRITE,
    "Create": AclOperation.CREATE,
    "Describe": AclOperation.DESCRIBE,
    "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS,
    "AlterConfigs": AclOperation.ALTER_CONFIGS,
}


class SecureKafka:
    """The broker, and how each role reaches it."""

    def __init__(self, broker: KafkaBroker, keystore: Keystore) -> None:
        self.broker, self.keystore = broker, keystore
        self._admin = AdminClient({"bootstrap.servers": broker.bootstrap})

    def settings(self, role: str) -> dict[str, Any]:
        """Settings of leadstream by their names, for one role."""
        return {
            "bootstrap_servers": self.broker.secure_bootstrap,
            "security_protocol": "SASL_SSL",
            "sasl_username": role,
            "sasl_password": password_of(role),
            "ssl_cafile": self.keystore.certificate,
        }

    def client(self, role: str) -> dict[str, Any]:
        """Settings of a client of librdkafka, for one role."""
        return {
            "bootstrap.servers": self.broker.secure_bootstrap,
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": role,
            "sasl.password": password_of(role),
            "ssl.ca.location": str(self.keystore.certificate),
            "fetch.wait.max.ms": 50,
            "log_level": 0,
        }

    def grant(self, prefix: str) -> None:
        """Grants every role what `streams.acls` says, under a prefix."""
        given = Settings.read({"LEADSTREAM_TOPIC_PREFIX": prefix})
        bindings = [
            AclBinding(
                _RESOURCES[grant.resource],
                grant.name,
                ResourcePatternType.PREFIXED if grant.prefixed else ResourcePatternType.LITERAL,
                f"User:{role}",
                "*",
                _OPERATIONS[operation],
                AclPermissionType.ALLOW,
            )
            for role in ROLES
            for grant in grants(given, role)
            for operation in grant.operations
        ]
        for done in self._admin.create_acls(bindings).values():
            done.result(30)

    def make_users(self) -> None:
        """One for every role, and one who is granted nothing."""
        scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        wanted: list[UserScramCredentialAlteration] = [
            UserScramCredentialUpsertion(user, scram, password_of(user).encode()) for user in (*ROLES, NOBODY)
        ]
        for done in self._admin.alter_user_scram_credentials(wanted).values():
            done.result(30)


def password_of(user: str) -> str:
    """A password that no other text holds."""
    return f"secret-canary-{user}"


@contextmanager
def secure_kafka(folder: Path) -> Iterator[SecureKafka]:
    """A broker with the users of all roles."""
    keystore = new_keystore(folder)
    with KafkaBroker(keystore=keystore) as broker:
        secured = SecureKafka(broker, keystore)
        secured.make_users()
        yield secured
