"""The API as a process: what it answers, whom it lets in, what it says of a Redis that is stale, empty or away."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import quote

import pytest
import redis.asyncio
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from schemas.times import iso, parse_iso
from schemas.topics import LEAD_SCORES, TIER_CHANGES
from streams.serve.app import create_api
from streams.settings import Settings
from streams.view.batch import Batch, Raw
from streams.view.feed import Feed
from streams.view.keys import Keys
from streams.view.reader import ReadModel
from tests.redis_server import PREFIX, RedisServer
from tests.view import naive
from tests.view.served import KEY, Api, Filled
from tests.view.small_town import a_town, last_log_time_ms

TOWN = 6


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as started:
        yield started


@pytest.fixture(scope="module")
def filled(server: RedisServer) -> Filled:
    return Filled(server, a_town(TOWN, 150))


@pytest.fixture(scope="module")
def api(server: RedisServer, filled: Filled) -> Iterator[Api]:
    with Api(server) as served:
        assert served.get("/v1/leads").status == 503, "what is being filled is not shown"
        filled.fill()
        yield served


@pytest.fixture(autouse=True)
def _fresh(api: Api, filled: Filled) -> None:
    filled.caught_up()


def all_pages(api: Api, query: str) -> list[dict[str, Any]]:
    leads: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answer = api.get(f"/v1/leads?{query}&limit=2{cursor}").json()
        leads += answer["leads"]
        if answer["next"] is None:
            return leads
        cursor = f"&cursor={quote(answer['next'])}"


def test_each_lead_is_told_with_score_and_owner_and_an_alias_with_its_lead(api: Api, filled: Filled) -> None:
    town = filled.town
    for lead_id in town.scores.keys() | town.assignments.keys():
        answer = api.get(f"/v1/leads/{quote(lead_id)}").json()
        assert (answer["as_of"], answer["stale"]) == (iso(last_log_time_ms(town)), None)
        score = town.scores[lead_id][-1]
        merged = score.get("merged_into")
        has = town.assignments.get(lead_id, [None])[-1]
        wanted = {"lead_id": lead_id, "merged_into": merged, "score": None if merged else score, "assignment": has}
        assert answer["lead"] == wanted


def test_lists_are_sorted_filtered_and_whole_over_their_pages(api: Api, filled: Filled) -> None:
    lists = naive.expected_lists(filled.town)
    assert any(name.startswith("due:") for name in lists)
    for name, members in lists.items():
        order, tier, owner = name.split(":")
        query = f"order={order}" + (f"&tier={tier}" if tier else "") + (f"&owner={owner}" if owner else "")
        found = [lead["lead_id"] for lead in all_pages(api, query)]
        assert sorted(found) == sorted(members), query
        by = [members[lead_id] for lead_id in found]
        assert by == sorted(by, reverse=order == "total"), query


def test_a_page_goes_on_where_it_ended_also_when_its_last_lead_has_moved(api: Api, filled: Filled) -> None:
    before = [lead["lead_id"] for lead in all_pages(api, "order=total")]
    first = api.get("/v1/leads?order=total&limit=3").json()
    moved = first["leads"][-1]["lead_id"]
    key = f"{PREFIX}total::"
    admin = filled.server.admin
    total = admin.zscore(key, moved)
    try:
        admin.zadd(key, {moved: 10_000})
        after = api.get(f"/v1/leads?order=total&limit=100&cursor={quote(first['next'])}").json()
    finally:
        admin.zadd(key, {moved: total})
    assert [lead["lead_id"] for lead in after["leads"]] == before[3:]


def test_owners_have_their_leads_open_clocks_and_overdue_ones(api: Api, filled: Filled) -> None:
    lists = naive.expected_lists(filled.town)
    now_ms = last_log_time_ms(filled.town)
    told = {owner["owner"] or "-": owner for owner in api.get("/v1/owners").json()["owners"]}
    names = {name.split(":")[2] for name in lists if name.count(":") == 2} - {""}
    assert told.keys() == names
    for name, owner in told.items():
        due = lists.get(f"due::{name}", {})
        assert owner["open"] == len(due)
        assert owner["overdue"] == sum(at <= now_ms for at in due.values())
        assert owner["next_due_at"] == (iso(int(min(due.values()))) if due else None)
        assert owner["leads"] == len(lists.get(f"total::{name}", due))


def test_the_report_is_that_of_the_view(api: Api, filled: Filled) -> None:
    assert api.get("/v1/report").json()["report"] == json.loads(filled.server.admin.get(f"{PREFIX}report"))


def test_cells_that_a_spreadsheet_would_run_are_quoted(api: Api, filled: Filled) -> None:
    bad = '=HYPERLINK("http://x")'
    score = filled.town.scores["L0"][0] | {"lead_id": bad, "seq": 99, "total": -7}
    place = (LEAD_SCORES, 0)
    at = filled.hold.positions[place]
    filled.store.apply(filled.hold, Batch.of([Raw(*place, at, bad.encode(), json.dumps(score).encode())]))
    answer = api.get("/v1/leads.csv?order=total")
    filled.store.apply(filled.hold, Batch.of([Raw(*place, at + 1, bad.encode(), None)]))
    assert answer.headers["Leadstream-As-Of"]
    rows = list(csv.DictReader(io.StringIO(answer.body.decode())))
    assert [row["lead_id"] for row in rows].count("'" + bad) == 1
    assert {row["total"] for row in rows if row["lead_id"] == "'" + bad} == {"-7"}, "a number stays one"
    assert not [cell for row in rows for name, cell in row.items() if name != "total" and cell[:1] in "=+@" and cell]


@pytest.mark.parametrize("key", [None, "", "another-key-of-16", "the-key-of-the-test"])
def test_nobody_gets_in_without_the_key(api: Api, key: str | None) -> None:
    for path in ("/v1/leads", "/v1/leads/L0", "/v1/owners", "/v1/leads.csv", "/v1/events", "/v1/report"):
        answer = api.get(path, key=key)
        assert (answer.status, answer.headers["Content-Type"]) == (401, "application/problem+json")
        assert b"as_of" in answer.body
    assert api.get("/livez", key=None).status == api.get("/metrics", key=None).status == 200


def test_a_misspelt_filter_is_no_list_of_everything(api: Api) -> None:
    for path, told in (
        ("/v1/leads?teir=hot", "query teir: did you mean tier?"),
        ("/v1/leads.csv?cursor=x", "query cursor: there is none; there are tier, owner, order, limit"),
        ("/v1/owners?limit=3", "query limit: this takes none"),
    ):
        answer = api.get(path)
        assert (answer.status, answer.json()["detail"]) == (422, told)


def test_a_problem_is_as_fresh_as_redis_and_not_as_what_was_asked_last(api: Api, filled: Filled) -> None:
    api.get("/v1/leads")
    before = api.get("/v1/leads?limit=0").json()
    assert before["stale"] is None
    filled.caught_up(then_ms := filled.now_ms() - 60_000)
    for path in ("/v1/leads?limit=0", "/v1/leads?teir=hot", "/nowhere"):
        assert api.get(path).json()["stale"] == iso(then_ms)


def test_staleness_is_told_with_since_when(api: Api, filled: Filled) -> None:
    then_ms = filled.now_ms() - 60_000
    filled.caught_up(then_ms)
    answer = api.get("/v1/leads").json()
    assert answer["stale"] == iso(then_ms)
    assert parse_iso(answer["as_of"]) == last_log_time_ms(filled.town)
    assert b"stale since" in api.get("/readyz").body
    assert b"leadstream_api_stale 1.0" in api.get("/metrics").body


def test_a_redis_that_is_away_or_empty_is_told_as_a_problem_with_what_was_known_last() -> None:
    with RedisServer() as server:
        filled = Filled(server, a_town(TOWN, 150))
        filled.fill()
        with Api(server) as api:
            as_of = api.get("/v1/leads").json()["as_of"]
            server.freeze()
            begun = time.monotonic()
            problem = api.get("/v1/leads")
            assert time.monotonic() - begun < 8
            server.thaw()
            assert (problem.status, problem.json()["as_of"]) == (503, as_of)
            assert "cannot be reached" in problem.json()["detail"]
            server.admin.flushall()
            empty = api.get("/v1/leads/L0")
            assert (empty.status, empty.json()["as_of"]) == (503, as_of)
            assert "is a view worker running?" in empty.json()["detail"]
            server.kill()
            away = api.get("/readyz")
            assert (away.status, away.headers["Content-Type"]) == (503, "application/problem+json")
            assert "start it, or set LEADSTREAM_REDIS_URL" in away.json()["detail"]
            assert "only-for-tests" not in away.body.decode(), "no password in answers"


# --- events ---------------------------------------------------------------------------------------------------------


def tell(filled: Filled, number: int) -> str:
    """One more tier change; its id."""
    place = (TIER_CHANGES, 0)
    body = filled.town.changes[0] | {"lead_id": "new", "seq": number, "id": f"new:{number}"}
    record = Raw(*place, filled.hold.positions[place], b"new", json.dumps(body).encode())
    filled.store.apply(filled.hold, Batch.of([record]))
    return f"new:{number}"


def take(events: Iterator[dict[str, str]], count: int) -> list[dict[str, str]]:
    return list(islice((event for event in events if event["event"] != "state"), count))


def test_events_resume_behind_the_last_one_seen(api: Api, filled: Filled) -> None:
    events = api.events()
    state = next(events)
    assert (state["event"], json.loads(state["data"])["stale"]) == ("state", None)
    ids = [tell(filled, number) for number in range(1, 4)]
    seen = take(events, 3)
    assert [json.loads(event["data"])["id"] for event in seen] == ids
    later = [tell(filled, number) for number in range(4, 6)]
    for place, event in enumerate(seen):
        again = take(api.events(event["id"]), 2)
        assert [json.loads(one["data"])["id"] for one in again] == [*ids, *later][place + 1 : place + 3]


def test_events_that_may_be_missing_are_told(api: Api, filled: Filled) -> None:
    feed = f"{PREFIX}feed"
    first = filled.server.admin.xrange(feed, count=1)[0][0]
    epoch = filled.server.admin.hget(f"{PREFIX}meta", "epoch")
    assert take(api.events(f"{epoch}:{first}"), 1)[0]["event"] != "reset"
    filled.server.admin.xtrim(feed, maxlen=3, approximate=False)
    left = [entry for entry, _ in filled.server.admin.xrange(feed)]
    events = take(api.events(f"{epoch}:{first}"), 3)
    assert [event["event"] == "reset" for event in events] == [True, False, False]
    assert events[1]["id"] == f"{epoch}:{left[0]}"
    other = api.events(f"{'0' * 32}:{first}")
    assert take(other, 1)[0]["event"] == "reset"
    assert take(api.events("x-9f0c"), 1)[0]["event"] == "reset", "an id that is none resumes nothing"
    told = tell(filled, 100)
    assert json.loads(take(other, 1)[0]["data"])["id"] == told, "what was there before is no news"


def test_what_a_new_filling_tells_while_somebody_waits_is_no_news() -> None:
    with RedisServer() as server:
        filled = Filled(server, a_town(TOWN, 150))
        filled.fill()

        async def listen() -> list[str]:
            client = redis.asyncio.Redis.from_url(server.url)
            model = ReadModel(client, Keys(PREFIX), filled.now_ms)
            feed = Feed(model, client, Keys(PREFIX), None)
            told = [one.type async for one in feed.read()]
            waits = feed._entries

            async def waits_meanwhile(after: str) -> list[tuple[str, str, bytes]]:
                server.admin.flushall()
                again = Filled(server, filled.town)
                again.fill()
                return await waits(after)

            feed._entries = waits_meanwhile  # type: ignore[method-assign]
            told += [one.type async for one in feed.read()]
            feed._entries = waits  # type: ignore[method-assign]
            told += [one.type async for one in feed.read()]
            await client.aclose()
            return told

        assert asyncio.run(listen()) == ["quiet", "quiet", "reset", "quiet"]


# --- the document ---------------------------------------------------------------------------------------------------


def test_the_examples_of_the_document_are_as_it_says(api: Api) -> None:
    document = api.get("/openapi.json").json()
    operations = [(path, method) for path, item in document["paths"].items() for method in item]
    assert len(operations) == 6
    for path, item in document["paths"].items():
        answers = item["get"]["responses"]
        assert {"200", "401", "503"} <= answers.keys(), path
        for code in answers.keys() - {"200"}:
            assert answers[code]["content"]["application/problem+json"]["example"]["status"] == int(code)


# Events never end; all others are called with what their parameters take, and with what they do not.
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)


@schemathesis.openapi.from_dict(create_api(Settings()).openapi()).exclude(path="/v1/events").parametrize()
@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_operation_answers_as_the_document_says(case: schemathesis.Case[Any], api: Api) -> None:
    url = f"http://127.0.0.1:{api.port}"
    case.call_and_validate(base_url=url, headers={"X-API-Key": KEY}, checks=list(CHECKS), timeout=10)
