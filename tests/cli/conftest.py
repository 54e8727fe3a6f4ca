"""Runs command lines in this process, as `leadstream` would."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from streams import cli
from streams.demo.embedded import EmbeddedBroker


@dataclass(frozen=True)
class Ran:
    """What a command line gave."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


Leadstream = Callable[..., Ran]


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("LEADSTREAM_") or name == "COLUMNS":
            monkeypatch.delenv(name)


@pytest.fixture
def leadstream(capfdbinary: pytest.CaptureFixture[bytes]) -> Leadstream:
    def run(*arguments: str) -> Ran:
        code = cli.run(arguments)
        captured = capfdbinary.readouterr()
        return Ran(code, captured.out.decode(), captured.err.decode())

    return run


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The embedded broker, named by the settings."""
    with EmbeddedBroker() as broker:
        monkeypatch.setenv("LEADSTREAM_BOOTSTRAP_SERVERS", broker.bootstrap)
        monkeypatch.setenv("LEADSTREAM_BROKER_PROFILE", "embedded")
        yield broker.bootstrap
