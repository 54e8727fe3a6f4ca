"""The user of the read model may do what the view and the API need (all their tests log in as it), and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import redis

from tests.redis_server import PREFIX, RIGHTS, RedisServer

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")

DENIED: tuple[tuple[str | int, ...], ...] = (
    ("GET", "other:key"),
    ("SET", "other:key", "x"),
    ("RENAME", f"{PREFIX}a", "other:key"),
    ("KEYS", "*"),
    ("FLUSHALL",),
    ("FLUSHDB",),
    ("EVAL", "return 1", 0),
    ("CONFIG", "GET", "requirepass"),
    ("ACL", "LIST"),
    ("SHUTDOWN",),
    ("MODULE", "LIST"),
    ("MONITOR",),
    ("REPLICAOF", "127.0.0.1", 1),
    ("CLIENT", "LIST"),
    ("PUBLISH", "anything", "x"),
)


@pytest.fixture
def user(redis_server: RedisServer) -> Any:
    return redis.Redis.from_url(redis_server.url)


@pytest.mark.parametrize("command", DENIED, ids=lambda command: str(command[0]))
def test_what_it_does_not_need_is_denied(user: Any, command: tuple[str | int, ...]) -> None:
    with pytest.raises(redis.exceptions.NoPermissionError):
        user.execute_command(*command)


def test_its_own_keys_are_its_own(user: Any) -> None:
    assert user.set(f"{PREFIX}key", "x")
    assert user.get(f"{PREFIX}key") == b"x"


def test_the_documents_name_these_rights() -> None:
    assert f"~leadstream:* {' '.join(RIGHTS)}" in README
