"""Settings: the one list, where values come from, and what wrong ones are told."""

import json
from pathlib import Path

import pytest

from streams.errors import UsageError
from streams.settings import Settings, variable
from tests.cli.conftest import Leadstream


def problems_of(environ: dict[str, str], env_file: Path | None = None) -> list[str]:
    with pytest.raises(UsageError) as caught:
        Settings.read(environ, env_file)
    return list(caught.value.problems)


def test_without_anything_the_defaults_hold() -> None:
    settings = Settings.read({})

    assert settings.bootstrap_servers == "127.0.0.1:9092"
    assert settings.topic("lead-events") == "lead-events"
    assert settings.app_id("score") == "leadstream-score"
    assert settings.metrics_port_of("ingest") != settings.metrics_port_of("score")


def test_every_setting_says_what_it_is_for() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_an_empty_variable_is_none() -> None:
    assert Settings.read({"LEADSTREAM_PARTITIONS": " "}).partitions == 8


def test_the_environment_wins_over_the_env_file(tmp_path: Path) -> None:
    file = tmp_path / "prod.env"
    file.write_text("# ours\nexport LEADSTREAM_PARTITIONS='4'\nLEADSTREAM_MODEL=a.yaml\nOTHER=x\n")

    settings = Settings.read({"LEADSTREAM_PARTITIONS": "2"}, file)

    assert (settings.partitions, settings.model) == (2, "a.yaml")


def test_every_wrong_value_is_told_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "prod.env"
    file.write_text("LEADSTREAM_PARTITIONS=0\n\nLEADSTREAM_CLOCK=sun\nLEADSTREAM_NO_SUCH_THING=1\n")

    assert problems_of({"LEADSTREAM_BOOTSTRAP_SERVER": "k:1", "LEADSTREAM_TOPIC_PREFIX": "a.b"}, file) == [
        "LEADSTREAM_BOOTSTRAP_SERVER is no setting; did you mean LEADSTREAM_BOOTSTRAP_SERVERS?",
        f"LEADSTREAM_NO_SUCH_THING ({file}:4) is no setting; `leadstream settings` lists them all",
        "LEADSTREAM_TOPIC_PREFIX=a.b: 'a.b' may have letters, digits, - and _ only, at most 100",
        f"LEADSTREAM_PARTITIONS=0 ({file}:1): input should be greater than or equal to 1",
        f"LEADSTREAM_CLOCK=sun ({file}:3): input should be 'broker' or 'record'",
    ]


def test_variables_that_kubernetes_sets_for_a_service_are_no_mistake() -> None:
    Settings.read({"LEADSTREAM_SERVICE_HOST": "10.0.0.1", "LEADSTREAM_PORT_9464_TCP": "tcp://10.0.0.1:9464"})


def test_a_line_that_is_no_assignment_is_told_without_its_text(tmp_path: Path) -> None:
    file = tmp_path / "prod.env"
    file.write_text("LEADSTREAM_ID_KEY hunter2-hunter2-hunter2\n")

    assert problems_of({}, file) == [f"{file}:1: is no NAME=value line; begin a comment with #"]


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"LEADSTREAM_BOOTSTRAP_SERVERS": "kafka"}, "'kafka' is not host:port"),
        ({"LEADSTREAM_BOOTSTRAP_SERVERS": "a:1,b:99999"}, "'b:99999' is not host:port"),
        ({"LEADSTREAM_HEARTBEAT_MS": "5000"}, "more than a third"),
        ({"LEADSTREAM_SECURITY_PROTOCOL": "SASL_SSL"}, "needs LEADSTREAM_SASL_USERNAME"),
        ({"LEADSTREAM_SSL_KEYFILE": "key.pem"}, "given together or not at all"),
        ({"LEADSTREAM_METRICS_PORT": "70000"}, "less than or equal to 65535"),
    ],
)
def test_settings_that_cannot_work_are_refused(environ: dict[str, str], told: str) -> None:
    assert told in problems_of(environ)[0]


def test_a_wrong_secret_is_not_shown() -> None:
    (problem,) = problems_of({"LEADSTREAM_ID_KEY": "hunter2"})

    assert "hunter2" not in problem
    assert "16 to 64 bytes" in problem


def test_no_key_is_told_where_one_is_needed() -> None:
    with pytest.raises(UsageError, match="LEADSTREAM_ID_KEY is not set"):
        Settings.read({}).id_key_bytes()


def test_the_command_lists_all_without_secrets(leadstream: Leadstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADSTREAM_ID_KEY", "hunter2-hunter2-hunter2")
    monkeypatch.setenv("LEADSTREAM_REDIS_URL", "redis://me:hunter2@cache:6379/1")

    ran = leadstream("settings", "--json")

    rows = {row["variable"]: row for row in map(json.loads, ran.lines)}
    assert ran.code == 0
    assert "hunter2" not in ran.out
    assert list(rows) == [variable(name) for name in Settings.model_fields]
    assert rows["LEADSTREAM_ID_KEY"] | {"meaning": ""} == {
        "variable": "LEADSTREAM_ID_KEY",
        "value": "***",
        "source": "environment",
        "default": None,
        "secret": True,
        "meaning": "",
    }
    assert rows["LEADSTREAM_REDIS_URL"]["value"] == "redis://***@cache:6379/1"
    assert "hunter2" not in leadstream("settings").out


def test_the_command_says_where_each_value_comes_from(
    leadstream: Leadstream, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "prod (1).env"
    file.write_text("LEADSTREAM_PARTITIONS=8\nLEADSTREAM_CLOCK=record\nLEADSTREAM_MODEL=\n")
    monkeypatch.setenv("LEADSTREAM_CLOCK", "broker")

    ran = leadstream("settings", "--json", "--env-file", str(file))

    sources = {row["variable"].removeprefix("LEADSTREAM_"): row["source"] for row in map(json.loads, ran.lines)}
    assert (sources["PARTITIONS"], sources["CLOCK"]) == (f"{file}:1", "environment")
    assert (sources["MODEL"], sources["ID_KEY"]) == ("default", "default")


def test_a_wrong_setting_ends_a_command_with_2(leadstream: Leadstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEADSTREAM_PARTITIONS", "many")

    ran = leadstream("settings")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("leadstream: LEADSTREAM_PARTITIONS=many: input should be a valid integer")
