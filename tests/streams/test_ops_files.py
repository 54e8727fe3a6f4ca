"""docker-compose.yml and ops/prometheus, held against the code: nothing here runs a container."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.metrics_core import Metric

from schemas.topics import TOPICS
from streams.metrics import Metrics
from streams.settings import STAGES, Settings
from tests.redis_server import RIGHTS

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
PROMETHEUS: dict[str, Any] = yaml.safe_load((ROOT / "ops/prometheus/prometheus.yml").read_text())
ALERTS: dict[str, Any] = yaml.safe_load((ROOT / "ops/prometheus/alerts.yml").read_text())
OURS = ("topics", *STAGES, "serve")


@pytest.mark.parametrize("name", OURS)
def test_every_setting_of_a_service_is_one_and_is_taken(name: str) -> None:
    environment: dict[str, str] = COMPOSE["services"][name]["environment"]
    filled = {key: re.sub(r"\$\{(\w+):[-?]([^}]*)\}", _filled, value) for key, value in environment.items()}
    settings = Settings.read(filled)
    assert settings.bootstrap_servers == "kafka:9092"
    assert {key.removeprefix("LEADSTREAM_").lower() for key in environment} <= Settings.model_fields.keys()


def _filled(found: re.Match[str]) -> str:
    return {"LEADSTREAM_ID_KEY": "0" * 32, "LEADSTREAM_API_KEY": "0" * 32}.get(found[1], found[2])


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_is_a_service_on_its_port_and_scraped_there(stage: str) -> None:
    service = COMPOSE["services"][stage]
    assert service["command"] == ["worker", stage]
    port = Settings().metrics_port_of(stage)
    assert service["environment"]["LEADSTREAM_METRICS_PORT"] == str(port)
    assert service["environment"]["LEADSTREAM_METRICS_HOST"] == "0.0.0.0"
    assert service["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert f":{port}/livez" in service["healthcheck"]["test"][-1]
    assert service["hostname"] == stage, "the name within the group is the host's, and must outlive a restart"
    (job,) = [job for job in PROMETHEUS["scrape_configs"] if job["job_name"] == stage]
    assert job["static_configs"] == [{"targets": [f"{stage}:{port}"]}]
    assert service["depends_on"]["topics"]["condition"] == "service_completed_successfully"


def test_the_api_listens_where_the_host_and_prometheus_look_and_asks_for_a_key() -> None:
    service = COMPOSE["services"]["serve"]
    assert service["command"] == ["serve"]
    port = Settings().api_port
    environment = service["environment"]
    assert environment["LEADSTREAM_API_PORT"] == str(port)
    assert (environment["LEADSTREAM_API_HOST"], "LEADSTREAM_API_KEY" in environment) == ("0.0.0.0", True)
    assert service["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert f":{port}/livez" in service["healthcheck"]["test"][-1]
    (job,) = [job for job in PROMETHEUS["scrape_configs"] if job["job_name"] == "serve"]
    assert job["static_configs"] == [{"targets": [f"serve:{port}"]}]


def test_redis_has_a_user_with_the_rights_that_the_tests_give_it_and_evicts_nothing() -> None:
    command: list[str] = COMPOSE["services"]["redis"]["command"]
    user = command[command.index("leadstream") :]
    assert user[1:4] == ["on", ">${LEADSTREAM_REDIS_PASSWORD:-leadstream}", f"~{Settings().redis_prefix}*"]
    assert tuple(user[4:]) == RIGHTS
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"
    url = re.sub(
        r"\$\{(\w+):[-?]([^}]*)\}", _filled, COMPOSE["services"]["view"]["environment"]["LEADSTREAM_REDIS_URL"]
    )
    assert url == "redis://leadstream:leadstream@redis:6379/0"


def test_somebody_is_woken_whichever_process_is_down() -> None:
    rules = [rule for group in ALERTS["groups"] for rule in group["rules"]]
    (down,) = [rule["expr"] for rule in rules if rule["alert"] == "LeadstreamWorkerDown"]
    jobs = [job["job_name"] for job in PROMETHEUS["scrape_configs"]]
    assert down == f'up{{job=~"{"|".join(jobs)}"}} == 0'
    assert jobs == [*STAGES, "serve"]


def test_topics_are_made_by_our_own_command_and_by_nobody_else() -> None:
    assert COMPOSE["services"]["topics"]["command"] == ["topics", "create"]
    kafka = COMPOSE["services"]["kafka"]["environment"]
    assert kafka["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    settings = Settings.read({key: str(value) for key, value in COMPOSE["services"]["topics"]["environment"].items()})
    assert {topic.partitions for topic in TOPICS} <= {settings.partitions, 1}
    assert settings.replication == 1, "one broker"


def test_the_image_and_the_mounted_files_exist() -> None:
    for name in OURS:
        assert (ROOT / COMPOSE["services"][name]["build"]["dockerfile"]).is_file()
    assert "./ops/prometheus:/etc/prometheus:ro" in COMPOSE["services"]["prometheus"]["volumes"]
    assert all((ROOT / "ops/prometheus" / name).is_file() for name in PROMETHEUS["rule_files"])


def test_alerts_look_at_metrics_that_exist_and_say_what_to_do() -> None:
    declared = _names()
    rules = [rule for group in ALERTS["groups"] for rule in group["rules"]]
    for rule in rules:
        used = set(re.findall(r"\bleadstream_\w+", rule["expr"] + rule["annotations"]["description"]))
        assert used <= declared, rule["alert"]
        assert rule["annotations"]["summary"].endswith(".")
        assert rule["labels"]["severity"] in ("page", "ticket")
    assert len({rule["alert"] for rule in rules}) == len(rules)


def _names() -> set[str]:
    names: set[str] = set()
    for stage in STAGES:
        families: list[Metric] = list(Metrics(stage).registry.collect())
        for family in families:
            suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count", "")}.get(family.type, ("",))
            names |= {family.name + suffix for suffix in suffixes}
            if family.name.startswith("leadstream_"):
                assert family.documentation.endswith(".") or ":" in family.documentation, family.name
    return names
