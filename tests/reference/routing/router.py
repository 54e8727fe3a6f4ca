"""Routing as the language says it, by looking at every lead, every owner and every minute each time."""

import copy
from typing import Any

from tests.reference.routing.wall import MINUTE, absent, due, works

UNITS = {"ms": 1, "s": 1_000, "m": MINUTE, "h": 60 * MINUTE, "d": 1_440 * MINUTE, "w": 10_080 * MINUTE}
OPEN_STATES = ("running", "breached")

Lead = dict[str, Any]
Policy = dict[str, Any]


def ms_of(duration: str) -> int:
    number = duration.rstrip("mshdw")
    return int(number) * UNITS[duration[len(number) :]]


def fits(allowed: Any, value: Any) -> bool:
    """A value and what a `where` of the tests asks for: a word, or a range of whole numbers."""
    if value is None:
        return False
    if isinstance(allowed, str) and ".." in allowed:
        low, _, high = allowed.partition("..")
        return isinstance(value, int) and (not low or int(low) <= value) and (not high or value <= int(high))
    return bool(str(allowed).lower() == str(value).lower())


class Reference:
    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.leads: dict[str, Lead] = {}
        self.team_last: dict[str, str] = {}
        self.team_weights: dict[str, dict[str, int]] = {}
        self.picks: dict[str, int] = {}
        self.times: dict[int, int] = {}
        self.now = 0
        self.out: list[dict[str, Any]] = []
        self.before: dict[str, Any] = {}
        self.order: list[str] = []

    # --- people

    def zone(self, owner: str) -> str:
        return str(self.policy["owners"][owner].get("timezone", self.policy.get("timezone", "UTC")))

    def hours(self, owner: str | None) -> Any:
        own = None if owner is None else self.policy["owners"][owner].get("hours")
        return self.policy.get("hours") if own is None else own

    def is_away(self, owner: str, at: int) -> bool:
        return absent(self.zone(owner), self.policy["owners"][owner].get("away", []), at // MINUTE)

    def is_working(self, owner: str, at: int) -> bool:
        return works(self.zone(owner), self.hours(owner), self.policy.get("holidays", []), at // MINUTE)

    def load(self, owner: str, apart_from: str) -> int:
        return sum(
            1 for name, lead in self.leads.items() if lead["owner"] == owner and lead["open"] and name != apart_from
        )

    def obstacle(self, team: str, member: str, at: int, lead_id: str) -> str | None:
        if self.is_away(member, at):
            return "away"
        capacity = self.policy["owners"][member].get("capacity")
        if capacity is not None and self.load(member, lead_id) >= capacity:
            return "full"
        if self.policy["teams"][team].get("working_only") and not self.is_working(member, at):
            return "off_hours"
        return None

    def pick(self, teams: list[str], at: int, lead_id: str, never: str | None = None) -> Any:
        passed: dict[str, str] = {}
        for name in teams:
            members = self.policy["teams"][name]["members"]
            obstacles = {m: "present" if m == never else self.obstacle(name, m, at, lead_id) for m in members}
            passed = {m: why for m, why in obstacles.items() if why} | passed
            candidates = [m for m in members if obstacles[m] is None]
            if candidates:
                return self.choose(name, candidates, lead_id), name, passed
        return None, None, passed

    def choose(self, name: str, candidates: list[str], lead_id: str) -> str:
        team, how = self.policy["teams"][name], self.policy["teams"][name].get("pick", "round_robin")
        if how == "round_robin":
            members = team["members"]
            last = self.team_last.get(name)
            place = members.index(last) if last in members else -1
            turn = [members[(place + step) % len(members)] for step in range(1, len(members) + 1)]
            chosen = next(m for m in turn if m in candidates)
        elif how == "least_loaded":
            chosen = sorted(
                candidates, key=lambda m: (self.load(m, lead_id), self.picks.get(m, 0), candidates.index(m))
            )[0]
        else:
            weight = {m: self.policy["owners"][m].get("weight", 1) for m in candidates}
            numbers = self.team_weights.setdefault(name, {})
            for member in candidates:
                numbers[member] = numbers.get(member, 0) + weight[member]
            chosen = sorted(candidates, key=lambda m: (-numbers[m], candidates.index(m)))[0]
            numbers[chosen] -= sum(weight.values())
        self.team_last[name] = chosen
        self.picks[chosen] = self.picks.get(chosen, 0) + 1
        return str(chosen)

    # --- leads

    def lead(self, lead_id: str) -> Lead:
        if lead_id not in self.leads:
            self.leads[lead_id] = {
                "tier": None, "seq_in": 0, "profile": {}, "cause": None, "entered": None, "owner": None, "team": None,
                "route": None, "pick": "unrouted", "passed": {}, "by": None, "open": False, "waiting": False,
                "clock": None, "seq_out": 0, "answer": None, "ids": [],
            }  # fmt: skip
        return self.leads[lead_id]

    def running(self, lead: Lead) -> Any:
        return lead["clock"] if lead["clock"] and lead["clock"]["state"] in OPEN_STATES else None

    def counted(self, lead: Lead) -> Any:
        clock = self.running(lead)
        return clock["tier"] if clock and clock["request"] else lead["tier"]

    def content(self, lead: Lead) -> Any:
        clock = lead["clock"]
        return lead["owner"], lead["team"], self.counted(lead), clock and (clock["number"], clock["state"])

    def rank(self, tier: Any) -> int:
        best_first = list(self.policy.get("sla", {}))
        return best_first.index(tier) if tier in best_first else len(best_first)

    def route(self, lead: Lead, tier: Any) -> tuple[int, Any] | None:
        for number, route in enumerate(self.policy["routes"], 1):
            where = route.get("where", {})
            if route["tier"] == tier and all(fits(value, lead["profile"].get(key)) for key, value in where.items()):
                return number, route
        return None

    def teams(self, route: Any) -> list[str]:
        found = [route["team"], route.get("else")] if route else []
        return [name for name in [*found, self.policy.get("fallback")] if name is not None]

    # --- steps

    def touch(self, lead_id: str) -> Lead:
        lead = self.lead(lead_id)
        if lead_id not in self.before:
            self.before[lead_id] = self.content(lead)
        return lead

    def end_step(self, at: int) -> None:
        waiting = []
        for name, lead in self.leads.items():
            if lead["waiting"]:
                clock = self.running(lead)
                waiting.append((clock is None, clock["due"] if clock else 0, name))
        for _, _, name in sorted(waiting):
            lead = self.leads[name]
            found = self.route(lead, self.counted(lead))
            owner, team, passed = self.pick(self.teams(found and found[1]), at, name)
            if owner is not None:
                self.touch(name)
                how = self.policy["teams"][team].get("pick", "round_robin")
                lead |= {"owner": owner, "team": team, "passed": passed, "pick": how, "by": None, "waiting": False}
        for name in self.before:
            lead = self.leads[name]
            if self.content(lead) != self.before[name]:
                self.assignment(name, lead, at)
        self.before = {}

    def assignment(self, lead_id: str, lead: Lead, at: int) -> None:
        lead["seq_out"] += 1
        clock = lead["clock"]
        sla = clock and {
            "number": clock["number"], "started_at": clock["start"], "due_at": clock["due"], "state": clock["state"],
        }  # fmt: skip
        self.out.append(
            {
                "lead_id": lead_id,
                "seq": lead["seq_out"],
                "owner": lead["owner"],
                "team": lead["team"],
                "tier": self.counted(lead),
                "since": at,
                "reason": {name: copy.copy(lead[name]) for name in ("route", "pick", "passed", "by")},
                "sla": sla,
                "tier_change": lead["cause"],
                "policy": {"name": self.policy["policy"], "version": self.policy["version"]},
            }
        )

    def event(self, lead_id: str, what: str, at: int, number: int = 0, to: str | None = None) -> None:
        lead = self.leads[lead_id]
        clock = lead["clock"]
        self.out.append(
            {
                "id": f"{lead_id}:{clock['number']}:{what}" + (f":{number}" if number else ""),
                "what": what,
                "lead_id": lead_id,
                "owner": lead["owner"],
                "tier": clock["tier"],
                "effective_at": at,
                "due_at": clock["due"],
                "elapsed_ms": max(0, at - clock["start"]),
                "late_ms": at - clock["due"] if what == "answered" and clock["breached"] else None,
                "to": to,
            }
        )

    # --- time

    def advance(self, until: int) -> None:
        """Through every minute and every deadline."""
        if self.now == 0 and until > 0:
            self.now = until
            self.lose([owner for owner in self.policy["owners"] if self.is_away(owner, until)], until)
        while self.now < until or any(moment <= until for moment, _ in self.deadlines()):
            first = min(self.deadlines(), default=(until + 1, ""))
            minute = (self.now // MINUTE + 1) * MINUTE if self.leads else until + 1
            if min(first[0], minute) > until:
                break
            if minute <= first[0]:
                self.minute(minute)
                self.now = minute
            else:
                self.now = max(self.now, first[0])
                self.deadline(first[1])
        self.now = max(self.now, until)

    def minute(self, at: int) -> None:
        """A step, where absences change, or hours that a team asks for."""
        away, before = self.away_at(at), self.away_at(at - MINUTE)
        teams = [team for team in self.policy["teams"].values() if team.get("working_only")]
        asked = {member for team in teams for member in team["members"]}
        if away != before or any(self.is_working(o, at) != self.is_working(o, at - MINUTE) for o in asked):
            self.lose([o for o in away if o not in before], at)

    def away_at(self, at: int) -> list[str]:
        return [o for o in self.policy["owners"] if self.is_away(o, at)]

    def lose(self, owners: list[str], at: int) -> None:
        """Open leads join the line and are tried with it; the others then lose their owner one by one."""
        for owner in sorted(owners):
            for name in sorted(self.leads):
                if self.leads[name]["owner"] == owner and self.leads[name]["open"]:
                    lead = self.touch(name)
                    found = self.route(lead, self.counted(lead))
                    lead |= {"owner": None, "waiting": True, "pick": "waiting", "passed": {}, "by": None}
                    lead["team"] = found[1]["team"] if found else None
        self.end_step(at)
        for owner in sorted(owners):
            for name in sorted(self.leads):
                if self.leads[name]["owner"] == owner:
                    self.touch(name).update(owner=None, team=None, pick="lost", passed={}, by=None)
                    self.end_step(at)

    def deadlines(self) -> list[tuple[int, str]]:
        return [
            (c["steps"][0][0], name) for name, lead in self.leads.items() if (c := self.running(lead)) and c["steps"]
        ]

    def deadline(self, lead_id: str) -> None:
        lead = self.touch(lead_id)
        clock = lead["clock"]
        moment, _, what, number, whom = clock["steps"].pop(0)
        at = max(self.now, moment)
        if what == "breached":
            clock["state"], clock["breached"] = "breached", True
        if what == "reassign" and whom in self.policy["teams"]:
            owner, _, passed = self.pick([whom], at, lead_id, never=lead["owner"])
            if owner is not None:
                lead |= {"owner": owner, "team": whom, "passed": passed, "pick": "reassigned", "by": None}
                lead["waiting"] = False
        self.event(lead_id, "escalated" if what in ("tell", "reassign") else what, moment, number, whom)
        self.end_step(at)

    def fire(self, lead_id: str, until: int) -> None:
        while [one for one in self.deadlines() if one[1] == lead_id and one[0] <= until]:
            self.deadline(lead_id)

    # --- records

    def play(self, record: dict[str, Any]) -> None:
        if record["type"] == "time":
            self.times[record["partition"]] = max(record["at"], self.times.get(record["partition"], 0))
            if len(self.times) == record["partitions"]:
                self.advance(max(self.now, min(self.times.values())))
        else:
            getattr(self, record["type"])(record)
        self.advance(self.now)

    def repeated(self, record: dict[str, Any]) -> bool:
        ids = self.lead(record["lead_id"])["ids"]
        if record["event_id"] in ids[-16:]:
            return True
        ids.append(record["event_id"])
        return False

    def tier(self, record: dict[str, Any]) -> None:
        lead_id, own = record["lead_id"], record["at"]
        if record["seq"] <= self.lead(lead_id)["seq_in"]:
            return
        self.fire(lead_id, own)
        lead = self.touch(lead_id)
        was = lead["tier"]
        lead |= {"tier": record["tier"], "seq_in": record["seq"], "profile": record["profile"]}
        clock = self.running(lead)
        held = clock and clock["request"] and self.rank(record["tier"]) >= self.rank(clock["tier"])
        started = False
        if was != record["tier"] and not held:
            started = self.enter(lead_id, record["tier"], own, own, f"{lead_id}:{record['seq']}", own, False)
        self.end_step(max(self.now, own))
        if started:
            self.answer_late(lead_id, lead["answer"], own)

    def request(self, record: dict[str, Any]) -> None:
        lead_id, own = record["lead_id"], record["received_at"]
        lead = self.lead(lead_id)
        if self.repeated(record) or "requests" not in self.policy or self.running(lead):
            return
        self.touch(lead_id)
        lead["profile"] = record["profile"] or lead["profile"]
        occurred = min(record["occurred_at"], own)
        started = self.enter(lead_id, self.policy["requests"], own, occurred, record["event_id"], own, True)
        self.end_step(max(self.now, own))
        if started:
            self.answer_late(lead_id, lead["answer"], own)

    def enter(
        self, lead_id: str, tier: str, start: int, answers_from: int, cause: str, own: int, request: bool
    ) -> bool:
        lead, at = self.leads[lead_id], max(self.now, own)
        found = self.route(lead, tier)
        sla = self.policy.get("sla", {}).get(tier) if found else None
        if self.running(lead):
            up = sla and self.rank(tier) < self.rank(lead["clock"]["tier"])
            self.event(lead_id, "replaced" if up else "cancelled", start)
            lead["clock"]["state"] = "cancelled"
        lead["cause"] = cause
        if not found:
            lead |= {"route": None, "pick": "unrouted", "passed": {}, "by": None, "entered": None}
            lead |= {"open": False, "waiting": False}
            return False
        number, route = found
        lead |= {"route": number, "entered": start, "by": None}
        owner = lead["owner"]
        if owner in self.policy["owners"] and not self.is_away(owner, at) and route.get("keep_owner", True):
            lead |= {"pick": "kept", "passed": {}, "team": lead["team"] or route["team"]}
        else:
            owner, team, passed = self.pick(self.teams(route), at, lead_id)
            lead |= {"owner": owner, "team": team or route["team"], "passed": passed, "waiting": owner is None}
            lead["pick"] = "waiting"
            if owner is not None:
                lead["pick"] = "request" if request else self.policy["teams"][team].get("pick", "round_robin")
        lead["open"] = True
        answer = lead["answer"] if lead["answer"] is not None and lead["answer"] >= answers_from else None
        if sla:
            self.start(lead_id, tier, sla, start, request)
            if answer is not None and answer < lead["clock"]["due"]:
                self.answered(lead_id, answer)
        elif answer is not None:
            lead |= {"open": False, "waiting": False}
        return bool(sla)

    def start(self, lead_id: str, tier: str, sla: dict[str, Any], start: int, request: bool) -> None:
        lead = self.leads[lead_id]
        owner = lead["owner"]
        name = self.policy.get("timezone", "UTC") if owner is None else self.zone(owner)
        hours = self.hours(owner) if sla.get("clock") == "business" else None

        def at(duration: str) -> int:
            return due(name, hours, self.policy.get("holidays", []), start, ms_of(duration))

        steps: list[Any] = [(at(one), 0, "reminded", n, None) for n, one in enumerate(sla.get("remind_at", []), 1)]
        steps.append((at(sla["respond_within"]), 1, "breached", 0, None))
        for place, one in enumerate(sla.get("escalate", []), 1):
            what = "tell" if "tell" in one else "reassign"
            steps.append((at(one["after"]), 1 + place, what, place, one[what]))
        lead["clock"] = {
            "number": lead["clock"]["number"] + 1 if lead["clock"] else 1, "tier": tier, "start": start,
            "due": at(sla["respond_within"]), "steps": sorted(steps, key=lambda step: step[:2]), "state": "running",
            "request": request, "breached": False, "answers": list(self.policy.get("answered_by", [])),
        }  # fmt: skip
        self.event(lead_id, "started", start)

    def answered(self, lead_id: str, happened: int) -> None:
        self.event(lead_id, "answered", happened)
        self.leads[lead_id]["clock"]["state"] = "answered"
        self.leads[lead_id] |= {"open": False, "waiting": False}

    def answer_late(self, lead_id: str, happened: int | None, own: int) -> None:
        lead = self.leads[lead_id]
        clock = self.running(lead)
        if clock and happened is not None and happened >= clock["due"]:
            self.fire(lead_id, happened)
            self.touch(lead_id)
            self.answered(lead_id, happened)
            self.end_step(max(self.now, own))

    def activity(self, record: dict[str, Any]) -> None:
        lead_id, own, what = record["lead_id"], record["received_at"], record["activity"]
        if self.repeated(record):
            return
        lead = self.lead(lead_id)
        happened = min(record["occurred_at"], own)
        answers = what in self.policy.get("answered_by", [])
        if answers:
            lead["answer"] = happened if lead["answer"] is None else max(lead["answer"], happened)
        clock = lead["clock"]
        if clock and what in clock["answers"] and clock["start"] <= happened < clock["due"]:
            if clock["state"] == "running":
                self.touch(lead_id)
                self.answered(lead_id, happened)
                self.end_step(max(self.now, own))
                return
            if clock["breached"] and clock["state"] != "withdrawn":
                self.touch(lead_id)
                was_open = clock["state"] in OPEN_STATES
                self.event(lead_id, "withdrawn", happened)
                clock["state"] = "withdrawn"
                if was_open or (lead["entered"] is not None and happened >= lead["entered"]):
                    lead |= {"open": False, "waiting": False}
                self.end_step(max(self.now, own))
                return
        if self.running(lead):
            if what in clock["answers"] and happened >= clock["due"]:
                self.answer_late(lead_id, happened, own)
        elif answers and lead["open"] and happened >= (lead["entered"] or 0):
            self.touch(lead_id)
            lead |= {"open": False, "waiting": False}
            self.end_step(max(self.now, own))

    def hand(self, record: dict[str, Any]) -> None:
        lead_id, own, owner, team = record["lead_id"], record["received_at"], record["owner"], record["team"]
        if self.repeated(record):
            return
        if owner not in (None, *self.policy["owners"]) or team not in (None, *self.policy["teams"]):
            return
        self.fire(lead_id, own)
        lead, at = self.touch(lead_id), max(self.now, own)
        if owner is None and team is None:
            if self.running(lead):
                self.event(lead_id, "cancelled", own)
                lead["clock"]["state"] = "cancelled"
            lead |= {"open": False, "waiting": False, "owner": None, "team": None, "pick": "by_hand", "passed": {}}
            lead |= {"entered": None, "by": record["by"]}
        else:
            passed: dict[str, str] = {}
            if owner is None:
                owner, _, passed = self.pick([team], at, lead_id)
            if owner is not None:
                lead |= {"owner": owner, "team": team or lead["team"], "pick": "by_hand", "passed": passed}
                lead |= {"by": record["by"], "waiting": False}
                if lead["clock"] is None and lead["entered"] is None:
                    lead |= {"entered": own, "open": True}
        self.end_step(at)

    def merged(self, record: dict[str, Any]) -> None:
        lead_id, into, own = record["lead_id"], record["into"], record["received_at"]
        if lead_id == into or lead_id not in self.leads:
            return
        self.fire(lead_id, own)
        self.fire(into, own)
        weak, strong = self.touch(lead_id), self.touch(into)
        moving, staying = self.running(weak), self.running(strong)
        wins = bool(moving and (not staying or moving["due"] < staying["due"]))
        if moving and staying:
            loser = into if wins else lead_id
            self.event(loser, "replaced", own)
            self.leads[loser]["clock"]["state"] = "cancelled"
        if weak["owner"] is not None and (wins or strong["owner"] is None):
            strong |= {name: weak[name] for name in ("owner", "team", "passed")}
            strong |= {"pick": "merged", "by": None, "waiting": False}
        if wins:
            number = max(moving["number"], strong["clock"]["number"] + 1 if strong["clock"] else 1)
            strong["clock"] = copy.deepcopy(moving) | {"number": number}
        if wins or (weak["open"] and not moving and not strong["open"]):
            strong |= {name: weak[name] for name in ("route", "cause", "entered")} | {"open": True}
        if strong["tier"] is None or self.rank(weak["tier"]) < self.rank(strong["tier"]):
            strong["tier"] = weak["tier"]
        if weak["answer"] is not None:
            strong["answer"] = max(weak["answer"], strong["answer"] or 0)
        passed = strong["passed"] if strong["waiting"] else weak["passed"]
        if weak["clock"]:
            weak["clock"] |= {"state": "cancelled", "breached": False, "steps": []}
        weak |= {"open": False, "waiting": False, "owner": None, "team": None, "pick": "merged"}
        weak |= {"passed": {}, "by": None, "entered": None}
        if strong["open"] and strong["owner"] is None:
            strong |= {"waiting": True, "pick": "waiting", "passed": passed, "by": None}
        self.end_step(max(self.now, own))

    def policy_change(self, record: dict[str, Any]) -> None:
        policy, at = record["policy"], max(self.now, record["received_at"])
        if policy["version"] <= self.policy["version"]:
            return
        before, away_before = self.policy, {o for o in self.policy["owners"] if self.is_away(o, at)}
        self.policy = policy
        for name in before["teams"]:
            if self.described(before, name) != self.described(policy, name):
                self.team_last.pop(name, None)
                self.team_weights.pop(name, None)
        for owner in before["owners"]:
            if owner not in policy["owners"]:
                self.picks.pop(owner, None)
        owners = {lead["owner"] for lead in self.leads.values() if lead["owner"] is not None}
        gone = [
            o for o in owners if o not in policy["owners"] or (self.is_away(o, at) and o not in away_before)
        ]  # fmt: skip
        self.lose(gone, at)

    @staticmethod
    def described(policy: Policy, name: str) -> Any:
        team = policy["teams"].get(name)
        weights = [policy["owners"][member].get("weight", 1) for member in team["members"]] if team else None
        return team and (team["members"], weights, team.get("pick", "round_robin"))
