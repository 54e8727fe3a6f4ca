"""Who is who, read naively.

Links are rows: `{"link": alias, "owner": …, "hour": …, "received_at": …}`. A visitor (`a:…`) is weaker than an address
(`e:…`), that is weaker than an id; an alias belongs to the owner with the greatest (hour, owner).

Two readings:

* `PeopleLog`: a link takes effect at once, as in a file. All is told of it: tier changes, scores, names.
* `persons`: who is who in the end, whatever the order, for those where that is clear.
"""

from collections.abc import Iterable
from typing import Any

from tests.reference.evaluator import Log, Outcome
from tests.reference.evidence import Evidence
from tests.reference.story import Story

MOST_OWNERS = 8
"""An alias that more different owners claim is nobody's."""

Row = dict[str, Any]


def strength(name: str) -> int:
    """How strong a name is."""
    return {"a:": 0, "e:": 1}.get(name[:2], 2)


class PeopleLog(Log):
    """A log in which a link takes effect at once."""

    def __init__(self, model: dict[str, Any]) -> None:
        """An empty log under its first model."""
        super().__init__(model)
        self.links: dict[str, list[tuple[int, str]]] = {}
        self.belongs: dict[str, str] = {}
        self.names: dict[str, list[str]] = {}
        self.shared: set[str] = set()

    def owner_of(self, name: str) -> str:
        """Where all that comes for a name goes in the end."""
        while name in self.belongs:
            name = self.belongs[name]
        return name

    def _apply(self, row: Row) -> None:
        if "link" in row:
            self._link(row["link"], row["owner"], row["hour"], row["received_at"])
        elif "lead_id" in row:
            super()._apply({**row, "lead_id": self.owner_of(row["lead_id"])})
        else:
            super()._apply(row)

    def _story(self, name: str, at: int) -> Story:
        story = self.stories.setdefault(name, Story(name, self.model, at))
        self._apply_due([story], at)
        return story

    def _link(self, alias: str, owner: str, hour: int, at: int) -> None:
        if strength(alias) >= strength(owner):
            return
        story = self._story(alias, at)
        if alias in self.shared:
            return
        links = self.links.setdefault(alias, [])
        is_new = owner not in {known for _, known in links}
        links.append((hour, owner))
        if len({known for _, known in links}) > MOST_OWNERS:
            self.shared.add(alias)
            del self.belongs[alias]
            story.begin_again(at)
            return
        former, best = self.belongs.get(alias), max(links)[1]
        self.belongs[alias] = best
        if best != former and (former is None or is_new):
            learnt = Story(alias, self.model, at)
            learnt.evidence, learnt.tier, learnt.tier_since = story.evidence, story.tier, story.tier_since
            self._note(story.leave(owner, at))
            self._merge(learnt, self.owner_of(owner), story.at)

    def _merge(self, learnt: Story, owner: str, at: int) -> None:
        known = self.names.setdefault(owner, [])
        for name in [*self.names.pop(learnt.lead_id, []), learnt.lead_id]:
            if name in known:
                known.remove(name)
            known.append(name)
        self._note(self._story(owner, at).take_merge(learnt, at))

    def _take_model(self, plain: dict[str, Any], received_at: int) -> None:
        """Aliases have nothing to be looked at anew."""
        aliases = {name: self.stories.pop(name) for name in self.belongs}
        version = self.model.version
        super()._take_model(plain, received_at)
        self.stories |= aliases
        if self.model.version != version:
            for story in aliases.values():
                story.model, story.tier = self.model, len(self.model.tiers) - 1
                story.evidence = Evidence(self.model)

    def outcome(self, until: int | None = None) -> Outcome:
        """As for any log; of an alias only where it went, of a lead its names too."""
        outcome = super().outcome(until)
        for name, score in outcome.scores.items():
            if name in self.belongs:
                seq = score["seq"]
                score.clear()
                score |= {"lead_id": name, "merged_into": self.belongs[name], "seq": seq}
            else:
                score |= {"names": sorted(self.names.get(name, [])), "shared": name in self.shared}
        return outcome


def tell_people(rows: list[Row], model: dict[str, Any], until: int | None = None) -> Outcome:
    """Read a whole log with links, as `evaluator.evaluate` reads one without."""
    log = PeopleLog(model)
    for row in rows:
        log.take(row)
    return log.outcome(until)


def persons(names: Iterable[str], links: Iterable[Row]) -> dict[str, str]:
    """The person of each name, for those whose links say one thing: every owner of the name is one person."""
    owners: dict[str, set[str]] = {}
    for link in links:
        if strength(link["link"]) < strength(link["owner"]):
            owners.setdefault(link["link"], set()).add(link["owner"])

    def ends(name: str) -> set[str]:
        return {end for owner in owners[name] for end in ends(owner)} if name in owners else {name}

    found = {name: ends(name) for name in {*names, *owners, *(one for some in owners.values() for one in some)}}
    unclear = set().union(*(some for some in found.values() if len(some) > 1))
    unclear |= {end for name, some in found.items() for end in some if len(owners.get(name, ())) > MOST_OWNERS}
    return {name: next(iter(some)) for name, some in found.items() if not some & unclear}


__all__ = ["MOST_OWNERS", "PeopleLog", "persons", "strength", "tell_people"]
