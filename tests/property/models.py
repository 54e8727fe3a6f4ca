"""Random valid models: plain dicts for the reference, and their YAML text for the program."""

import copy
import json
from random import Random
from typing import Any

from tests.property.world import ASKED, PROFILE_ASKED, VALUES, asked_fields

__all__ = ["changed_model", "durations_of", "model_text", "random_model"]

Plain = dict[str, Any]

KINDS = ("each", "repeat", "together", "streak", "only", "silence", "profile")
AGEING = ("each", "repeat", "together", "streak")
DIMENSIONS = ("fit", "engagement", "risk")

UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
DURATION_KEYS = ("within", "hold", "fade", "halve", "stay_at_least")


class ModelWriter:
    """Writes the parts of one model; its durations are small multiples of one or two units, so that edges meet."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.units = [chance.choice(list(UNIT_MS)) for _ in range(chance.choice((1, 1, 2)))]

    def maybe(self, share: float) -> bool:
        return self.chance.random() < share

    def duration(self) -> str:
        """A few units, so that several of them are one."""
        return f"{self.chance.choice((1, 2, 3, 5, 7, 10, 24))}{self.chance.choice(self.units)}"

    def points(self, sign: int | None = None) -> int:
        size = self.chance.choice((1, 2, 3, 5, 5, 10, 10, 15, 20, 30, 1000 if self.maybe(0.05) else 7))
        return size * (sign or self.chance.choice((1, 1, 1, 1, -1)))

    # --- signals ----------------------------------------------------------------------------------------------------

    def signals(self, count: int) -> Plain:
        found: Plain = {f"s{number}": self.signal() for number in range(count)}
        if count > 1 and self.maybe(0.1):
            # The same thing under two names, perhaps remembered at different length.
            found["s1"] = copy.deepcopy(found["s0"])
            found["s1"]["keep"] = self.chance.randint(1, 5)
        return found

    def signal(self, distinct: str | None = None) -> Plain:
        chance = self.chance
        common = ("page_view", "page_view", "form_fill", "email_open")
        kinds = [chance.choice(common if self.maybe(0.7) else tuple(VALUES))]
        if self.maybe(0.25):
            kinds += chance.sample([kind for kind in VALUES if kind not in kinds], chance.randint(1, 2))
        body: Plain = {"on": kinds if len(kinds) > 1 or self.maybe(0.2) else kinds[0]}
        if self.maybe(0.4):
            body["where"] = self.conditions(kinds[0])
        if self.maybe(0.2):
            excepted = self.conditions(chance.choice(kinds))
            # Beside what `where` asks for, so that it does not take all of it away.
            if set(excepted) - set(body.get("where", {})):
                body["except"] = excepted
        fields = [field for field in asked_fields(kinds[0]) if field not in ("reason", "by")]
        if distinct is not None and distinct in fields:
            body["distinct"] = distinct
        elif distinct is None and self.maybe(0.35):
            body["distinct"] = chance.choice(fields)
        if self.maybe(0.4):
            body["keep"] = chance.choice((1, 1, 2, 2, 3, 4, 64))
        if self.maybe(0.1):
            body["request"] = self.maybe(0.5)
        return body

    def conditions(self, kind: str) -> Plain:
        fields = asked_fields(kind)
        chosen = self.chance.sample(fields, min(len(fields), self.chance.choice((1, 1, 1, 2))))
        return {field: self.chance.choice(ASKED[field]) for field in chosen}

    # --- rules ------------------------------------------------------------------------------------------------------

    def rules(self, signals: Plain, count: int) -> Plain:
        rules: Plain = {}
        signs = {name: self.chance.choice((1, 1, 1, -1)) for name in ("g1", "g2")}
        for number in range(count):
            dimension = self.chance.choice(DIMENSIONS)
            body = self.rule(signals)
            if self.maybe(0.4):
                group = self.chance.choice(("g1", "g2"))
                body |= {"group": group, "points": abs(body["points"]) * signs[group]}
            rules.setdefault(dimension, {})[f"r{number}"] = body
        return rules

    def rule(self, signals: Plain) -> Plain:
        kind = self.chance.choice(KINDS)
        body = getattr(self, f"_{kind}")(signals) | {"points": self.points()}
        if kind in AGEING:
            if self.maybe(0.5):
                body["hold"] = self.duration()
            if self.maybe(0.5):
                body[self.chance.choice(("fade", "halve"))] = self.duration()
        return dict(body)

    def _some(self, signals: Plain) -> str | list[str]:
        """A signal, or a list of signals that tell their occurrences apart in the same way."""
        name = self.chance.choice(list(signals))
        if self.maybe(0.7):
            return name
        alike = [one for one in signals if signals[one].get("distinct") == signals[name].get("distinct")]
        return self.chance.sample(alike, self.chance.randint(1, min(3, len(alike))))

    def _each(self, signals: Plain) -> Plain:
        more = {"at_most": self.chance.randint(1, 4)} if self.maybe(0.5) else {}
        return {"each": self._some(signals), **more}

    def _repeat(self, signals: Plain) -> Plain:
        return {"repeat": self._some(signals), "times": self.chance.choice((2, 2, 3, 4)), "within": self.duration()}

    def _together(self, signals: Plain) -> Plain:
        parts = [self._some(signals) for _ in range(self.chance.choice((2, 2, 3)))]
        more = {"in_order": self.maybe(0.8)} if self.maybe(0.6) else {}
        return {"together": parts, "within": self.duration(), **more}

    def _streak(self, signals: Plain) -> Plain:
        body: Plain = {"streak": self._some(signals), "times": self.chance.choice((2, 2, 3))}
        if self.maybe(0.6):
            body["broken_by"] = self._some(signals) if self.maybe(0.9) else []
        if self.maybe(0.4):
            body["within"] = self.duration()
        return body

    def _only(self, signals: Plain) -> Plain:
        return {"only": self._some(signals), "none_of": self._some(signals), "within": self.duration()}

    def _silence(self, signals: Plain) -> Plain:
        more = {"broken_by": self._some(signals)} if self.maybe(0.6) else {}
        return {"silence": self._some(signals), "within": self.duration(), **more}

    def _profile(self, _signals: Plain) -> Plain:
        fields = self.chance.sample(list(PROFILE_ASKED), self.chance.choice((1, 1, 2)))
        return {"profile": {field: self.chance.choice(PROFILE_ASKED[field]) for field in fields}}

    # --- score and tiers --------------------------------------------------------------------------------------------

    def score(self) -> Plain:
        score: Plain = {}
        for name in DIMENSIONS:
            if self.maybe(0.4):
                score[name] = self.bounds()
        if self.maybe(0.5):
            score["total"] = self.bounds()
            if self.maybe(0.5):
                score["total"]["of"] = self.chance.sample(DIMENSIONS, self.chance.randint(1, 3))
        return score

    def bounds(self) -> Plain:
        low, high = self.chance.choice((-20, -5, 0)), self.chance.choice((0, 5, 12, 25, 40))
        return {key: value for key, value in (("min", low), ("max", high)) if self.maybe(0.7)}

    def tiers(self, rules: Plain) -> Plain:
        names = [name for bodies in rules.values() for name in bodies]
        bars = sorted(self.chance.sample(range(-2, 22), self.chance.choice((0, 1, 1, 2, 2, 3, 3))), reverse=True)
        tiers: Plain = {f"t{bar}".replace("-", "m"): self.tier(bar, names) for bar in bars}
        if self.maybe(0.1):
            tiers["picky"] = self.gates(names) or {"fit_at_least": 1}
        return tiers | {self.chance.choice(("cold", "rest")): {}}

    def tier(self, bar: int, rules: list[str]) -> Plain:
        body: Plain = {"at_least": bar} if self.maybe(0.7) else {"above": bar - 1}
        if self.maybe(0.5):
            body["leave_below"] = bar - self.chance.choice((0, 1, 2, 5, 9))
        if self.maybe(0.4):
            body["stay_at_least"] = self.duration()
        return body | (self.gates(rules) if self.maybe(0.4) else {})

    def gates(self, rules: list[str]) -> Plain:
        body: Plain = {}
        if self.maybe(0.4):
            body["fit_at_least"] = self.chance.choice((-5, 0, 1, 5))
        if self.maybe(0.4):
            body["engagement_at_least"] = self.chance.choice((-5, 1, 5, 10))
        if self.maybe(0.5):
            body["requires_any"] = self.chance.sample(rules, self.chance.randint(1, min(2, len(rules))))
        return body


def random_model(chance: Random, rules: int, version: int = 1) -> Plain:
    """A model with so many rules."""
    writer = ModelWriter(chance)
    signals = writer.signals(chance.randint(1, max(2, rules)))
    return _assembled(writer, version, signals, writer.rules(signals, rules))


def _assembled(writer: ModelWriter, version: int, signals: Plain, rules: Plain, tiers: Plain | None = None) -> Plain:
    model: Plain = {"model": "random", "version": version, "signals": signals, "rules": rules}
    if writer.maybe(0.5):
        model["publish"] = writer.chance.sample(("industry", "country", "company_size", "vip"), 2)
    return model | {"score": writer.score(), "tiers": writer.tiers(rules) if tiers is None else tiers}


def changed_model(chance: Random, model: Plain) -> Plain:
    """The next version of a model (now and then no later one): some of it stays, some is renamed, some is new."""
    writer = ModelWriter(chance)
    version = model["version"] + chance.choice((1, 1, 1, 1, 2, 0))
    if writer.maybe(0.15):
        return random_model(chance, sum(len(bodies) for bodies in model["rules"].values()), version)
    signals = copy.deepcopy(model["signals"])
    for body in signals.values():
        if writer.maybe(0.2):
            body["keep"] = chance.randint(1, 5)
        if writer.maybe(0.15):
            fresh = writer.signal(body.get("distinct"))
            # A list's signals still have the same `distinct`.
            if fresh.get("distinct") == body.get("distinct"):
                body.clear()
                body.update(fresh)
    rules = copy.deepcopy(model["rules"])
    for bodies in rules.values():
        for name, body in bodies.items():
            if writer.maybe(0.25):
                bodies[name] = writer.rule(signals)
            elif writer.maybe(0.3) and abs(body["points"]) < 500:
                body["points"] *= 2
            if "times" in body and writer.maybe(0.1):
                body["times"] += 1
    changed = _assembled(writer, version, signals, rules, None if writer.maybe(0.5) else copy.deepcopy(model["tiers"]))
    return renamed(changed, chance) if writer.maybe(0.3) else changed


def renamed(model: Plain, chance: Random) -> Plain:
    """The same model with other names for its signals, and with lists in another order where order says nothing."""

    def other(value: Any) -> Any:
        if isinstance(value, list):
            return [other(one) for one in value]
        return f"{value}_too"

    signals = {other(name): body for name, body in model["signals"].items()}
    for body in signals.values():
        for part in ("where", "except"):
            for asked in body.get(part, {}).values():
                if isinstance(asked, list):
                    chance.shuffle(asked)
        if isinstance(body["on"], list):
            chance.shuffle(body["on"])
    for bodies in model["rules"].values():
        for body in bodies.values():
            for key in (*KINDS, "none_of", "broken_by"):
                if key in body and key != "profile":
                    body[key] = other(body[key])
            if "together" in body and not body.get("in_order"):
                chance.shuffle(body["together"])
    return model | {"signals": signals}


def model_text(model: Plain) -> str:
    """The YAML of a model, a line for each signal, rule and tier."""
    lines = []
    for section, body in model.items():
        if section in ("signals", "tiers"):
            lines += [f"{section}:", *(f"  {name}: {_flow(one)}" for name, one in body.items())]
        elif section == "rules":
            lines.append("rules:")
            for dimension, bodies in body.items():
                lines += [f"  {dimension}:", *(f"    {name}: {_flow(one)}" for name, one in bodies.items())]
        else:
            lines.append(f"{section}: {_flow(body)}")
    return "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def durations_of(model: Plain) -> list[int]:
    """All durations of a model, in milliseconds, each once."""
    bodies = [body for bodies in model["rules"].values() for body in bodies.values()]
    texts = [body[key] for body in (*bodies, *model["tiers"].values()) for key in DURATION_KEYS if key in body]
    held = [body for body in bodies if "hold" in body and "fade" in body]
    found = {_ms(text) for text in texts} | {_ms(body["hold"]) + _ms(body["fade"]) for body in held}
    return sorted(found) or [1]


def _ms(text: str) -> int:
    digits = text.rstrip("smhd")
    return int(digits) * UNIT_MS[text[len(digits) :]]
