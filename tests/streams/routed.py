"""A pipeline of ingest, score and route with a model and a policy of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from schemas.routing_log import PolicyControl, decode_routing
from schemas.topics import LEAD_ASSIGNMENTS, LEAD_ROUTING, SLA_EVENTS
from streams.demo.workers import free_port
from tests.pipeline import Pipeline
from tests.streams.live import get, wait_for

__all__ = ["MODEL", "POLICY", "STAGES", "Routed"]

STAGES = ("ingest", "score", "route")

MODEL = """
model: short
version: 1
publish: [company_size]
signals:
  visit: {on: page_view}
  form:  {on: form_fill}
  demo:  {on: form_fill, where: {form_type: demo}, keep: 1, request: true}
rules:
  engagement:
    visited: {each: visit, points: 20, hold: 1d}
    filled:  {each: form, points: 30, hold: 1d}
tiers:
  hot:  {at_least: 50}
  warm: {at_least: 30}
  cold: {}
"""

POLICY = """
policy: short
version: {version}
owners: {{ann: {{}}, bob: {{}}, cid: {{}}}}
teams: {{desk: {{members: [{members}]}}}}
routes: [{{tier: hot, team: desk, keep_owner: false}}, {{tier: warm, team: desk}}]
requests: hot
sla:
  hot: {{respond_within: {within}, escalate: [{{after: {after}, tell: ann}}]}}
answered_by: [contacted]
"""


class Routed:
    """A pipeline of three stages with a model and a policy of its own."""

    def __init__(self, pipeline: Pipeline, folder: Path) -> None:
        self.pipeline, self.folder = pipeline, folder
        self.ports = {stage: free_port() for stage in STAGES}
        self.first = (folder / "policy.yaml").read_text()

    def start(self, *stages: str, **settings: object) -> None:
        for stage in stages:
            self.pipeline.start(stage, command=(), metrics_port=self.ports[stage], **settings)

    def ready(self, stage: str = "route") -> None:
        wait_for(lambda: get(self.ports[stage], "readyz")[0] == 200)

    def told(self) -> list[dict[str, Any]]:
        return [json.loads(record.value) for record in self.pipeline.read(SLA_EVENTS) if record.value]

    def events(self, what: str) -> dict[str, dict[str, Any]]:
        return {one["lead_id"]: one for one in self.told() if one["what"] == what}

    def assignments(self, lead: str) -> list[dict[str, Any]]:
        records = self.pipeline.read(LEAD_ASSIGNMENTS)
        return [json.loads(record.value) for record in records if record.value and record.key == lead.encode()]

    def policies(self) -> list[PolicyControl]:
        rows = [row for record in self.pipeline.read(LEAD_ROUTING) for row in decode_routing(record.value)]
        return [row for row in rows if isinstance(row, PolicyControl)]
