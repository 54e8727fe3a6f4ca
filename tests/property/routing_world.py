"""Random policies and random streams of `lead-routing`, small and full of edges."""

import json
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from schemas.routing_log import (
    HandCommand,
    LeadMerged,
    LogTime,
    PolicyControl,
    RoutedActivity,
    RoutedRequest,
    RoutedTier,
    RoutingRow,
)
from schemas.times import parse_iso

MINUTE = 60_000
HOUR = 60 * MINUTE
TIERS = ("hot", "warm", "cool", "cold")
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
# Days on which clocks change somewhere, and a plain one.
BEGINS = tuple(
    parse_iso(text)
    for text in ("2026-03-07T20:00:00Z", "2026-03-28T21:00:00Z", "2026-04-04T12:00:00Z", "2026-10-24T22:00:00Z",
                 "2026-10-31T22:00:00Z", "2026-06-15T07:00:00Z")
)  # fmt: skip

Record = dict[str, Any]


class World:
    """One random policy and stream."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.begin = self.chance.choice(BEGINS)
        self.leads = [f"L{number}" for number in range(self.chance.randint(1, 7))]
        self.owners = ["ann", "bob", "cid", "dan"][: self.chance.randint(1, 4)]
        self.teams = ["red", "blue", "grey"][: self.chance.randint(1, 3)]

    # --- policies

    def policy(self, version: int = 1) -> dict[str, Any]:
        chance = self.chance
        owners = [o for o in self.owners if version == 1 or chance.random() < 0.8] or self.owners[:1]
        made: dict[str, Any] = {"policy": "random", "version": version, "timezone": chance.choice(ZONES)}
        if chance.random() < 0.7:
            made["hours"] = self.hours()
        if chance.random() < 0.3:
            made["holidays"] = [self.day(chance.randint(0, 2))]
        made["owners"] = {owner: self.owner() for owner in owners}
        made["teams"] = {team: self.team(owners) for team in self.teams}
        made["routes"] = [self.route() for _ in range(chance.randint(1, 5))]
        if chance.random() < 0.5:
            made["fallback"] = chance.choice(self.teams)
        tiers = chance.sample(TIERS[:3], chance.randint(0, 3))
        made["sla"] = {tier: self.sla("hours" in made, owners) for tier in sorted(tiers, key=TIERS.index)}
        known = [*made["sla"], *(route["tier"] for route in made["routes"])]
        if chance.random() < 0.8:
            made["requests"] = chance.choice(known)
        made["answered_by"] = chance.sample(["contacted", "meeting_booked", "discarded"], chance.randint(1, 3))
        return made

    def hours(self) -> dict[str, Any]:
        spans = ["09:00-18:00", "00:00-24:00", ["08:00-12:00", "12:30-15:00"], "01:30-02:30", "22:00-24:00"]
        return {
            days: self.chance.choice(spans) for days in ("mon-thu", "fri", "sat", "sun") if self.chance.random() < 0.8
        } or {"mon-sun": "09:00-17:00"}

    def day(self, number: int) -> str:
        return (datetime.fromtimestamp(self.begin / 1000, UTC) + timedelta(days=number)).date().isoformat()

    def owner(self) -> dict[str, Any]:
        chance, made = self.chance, dict[str, Any]()
        if chance.random() < 0.4:
            made["capacity"] = chance.choice((0, 1, 1, 2, 3))
        if chance.random() < 0.4:
            made["weight"] = chance.randint(1, 4)
        if chance.random() < 0.4:
            made["timezone"] = chance.choice(ZONES)
        if chance.random() < 0.4:
            made["hours"] = self.hours()
        if chance.random() < 0.5:
            first = chance.randint(0, 2)
            last = chance.randint(first, 2)
            made["away"] = [self.day(first) if first == last else f"{self.day(first)}..{self.day(last)}"]
        return made

    def team(self, owners: list[str]) -> dict[str, Any]:
        chance = self.chance
        made: dict[str, Any] = {"members": chance.sample(owners, chance.randint(1, len(owners)))}
        if chance.random() < 0.8:
            made["pick"] = chance.choice(("round_robin", "least_loaded", "weighted"))
        if chance.random() < 0.4:
            made["working_only"] = True
        return made

    def route(self) -> dict[str, Any]:
        chance = self.chance
        made: dict[str, Any] = {"tier": chance.choice(TIERS), "team": chance.choice(self.teams)}
        if chance.random() < 0.3:
            made["where"] = chance.choice(({"size": "200.."}, {"size": "..100"}, {"country": "es"}))
        others = [team for team in self.teams if team != made["team"]]
        if others and chance.random() < 0.4:
            made["else"] = chance.choice(others)
        if chance.random() < 0.2:
            made["keep_owner"] = False
        return made

    def sla(self, hours: bool, owners: list[str]) -> dict[str, Any]:
        chance = self.chance
        within = chance.choice((1, 2, 5, 30))
        made: dict[str, Any] = {"respond_within": f"{within}h"}
        if hours and chance.random() < 0.5:
            made["clock"] = "business"
        if chance.random() < 0.5:
            made["remind_at"] = [
                f"{minutes}m" for minutes in sorted(chance.sample((1, 15, 30, 59), chance.randint(1, 2)))
            ]
        if chance.random() < 0.6:
            afters = sorted(chance.choices((30, within * 60, within * 60 + 1, within * 90), k=chance.randint(1, 3)))
            made["escalate"] = [
                {"after": f"{after}m"}
                | (
                    {"tell": chance.choice(owners)}
                    if chance.random() < 0.4
                    else {"reassign": chance.choice(self.teams)}
                )
                for after in afters
            ]
        return made

    # --- streams

    def stream(self, policy: dict[str, Any], length: int) -> list[Record]:
        """Records in log order: own times run ahead of or behind log time, which two partitions tell."""
        chance = self.chance
        kinds = (
            self._tier,
            self._request,
            self._activity,
            self._hand,
            self._policy,
            self._merged,
            self._again,
            self._time,
        )
        self.at, self.moments, self.version = self.begin, [self.begin], policy["version"]
        self.seqs = dict.fromkeys(self.leads, 0)
        self.records: list[Record] = []
        for number in range(length):
            self.at += chance.choice((0, 0, 1, MINUTE, 7 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR))
            if chance.random() < 0.4:
                # Where something happened before: exactly so much later, or a millisecond beside it.
                later = chance.choice((15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 5 * HOUR))
                self.at = max(self.at, chance.choice(self.moments) + later + chance.choice((-1, 0, 0, 1)))
            own = max(self.begin, self.at + chance.choice((0, 0, 0, -1, 500, -HOUR, 20 * MINUTE)))
            (kind,) = chance.choices(kinds, (30, 10, 25, 8, 3, 4, 5, 15))
            kind({"lead_id": chance.choice(self.leads)}, own, number)
        last = self.at + 60 * HOUR
        return [*self.records, *({"type": "time", "partition": one, "partitions": 2, "at": last} for one in (0, 1))]

    def _tier(self, head: Record, own: int, _: int) -> None:
        self.seqs[head["lead_id"]] += self.chance.choice((1, 1, 1, 2))
        profile = self.chance.choice(({}, {"size": 300}, {"size": 50, "country": "ES"}))
        what = {"seq": self.seqs[head["lead_id"]], "tier": self.chance.choice(TIERS), "at": own, "profile": profile}
        self.records.append({"type": "tier"} | head | what)
        self.moments.append(own)

    def _request(self, head: Record, own: int, number: int) -> None:
        occurred = own - self.chance.choice((0, 0, 1, 10 * MINUTE))
        times = {"occurred_at": occurred, "received_at": own, "profile": self.chance.choice(({}, {"size": 300}))}
        self.records.append({"type": "request", "event_id": f"r{number}"} | head | times)
        self.moments.append(own)

    def _activity(self, head: Record, own: int, number: int) -> None:
        occurred = own - self.chance.choice((0, 0, 1, -1, 30 * MINUTE, HOUR, 3 * HOUR))
        if self.chance.random() < 0.3:
            occurred = self.chance.choice(self.moments) + self.chance.choice((-1, 0, HOUR - 1, HOUR, 2 * HOUR))
        activity = self.chance.choice(("contacted", "meeting_booked", "proposal_sent", "discarded"))
        what = {"occurred_at": occurred, "received_at": own, "activity": activity}
        self.records.append({"type": "activity", "event_id": f"a{number}"} | head | what)

    def _hand(self, head: Record, own: int, number: int) -> None:
        given = self.chance.choice(
            ({"owner": self.chance.choice(self.owners)}, {"team": self.chance.choice(self.teams)}, {})
        )
        what = {"received_at": own, "owner": None, "team": None, "by": "eve"} | given
        self.records.append({"type": "hand", "event_id": f"h{number}"} | head | what)

    def _policy(self, _: Record, own: int, __: int) -> None:
        self.version += self.chance.choice((0, 1, 1))
        self.records.append({"type": "policy_change", "received_at": own, "policy": self.policy(self.version)})

    def _merged(self, head: Record, own: int, _: int) -> None:
        self.records.append({"type": "merged", "into": self.chance.choice(self.leads), "received_at": own} | head)

    def _again(self, head: Record, own: int, number: int) -> None:
        if self.records:
            self.records.append(self.chance.choice(self.records))

    def _time(self, _: Record, __: int, ___: int) -> None:
        told = self.at + self.chance.choice((0, 0, -HOUR, 2 * HOUR, 1))
        both = (0, 1) if self.chance.random() < 0.7 else (self.chance.randint(0, 1),)
        self.records += [{"type": "time", "partition": one, "partitions": 2, "at": told} for one in both]


def row_of(record: Record) -> RoutingRow:
    """The row of a record."""
    fields = {f"{name}_ms" if name.endswith("_at") else name: value for name, value in record.items() if name != "type"}
    if record["type"] == "tier":
        return RoutedTier(fields["lead_id"], fields["seq"], fields["tier"], fields["at"], fields["profile"])
    if record["type"] == "time":
        return LogTime(fields["partition"], fields["partitions"], fields["at"])
    if record["type"] == "policy_change":
        policy = fields["policy"]
        name, version = policy["policy"], policy["version"]
        return PolicyControl(fields["received_at_ms"], name, version, "0" * 64, json.dumps(policy))
    kinds: dict[str, Any] = {
        "request": RoutedRequest,
        "activity": RoutedActivity,
        "hand": HandCommand,
        "merged": LeadMerged,
    }
    made: RoutingRow = kinds[record["type"]](**fields)
    return made
