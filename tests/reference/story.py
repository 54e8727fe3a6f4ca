"""The story of one lead: its events and its deadlines, one after the other, and the tier changes that come of them."""

from typing import Any

from tests.reference.evidence import Evidence
from tests.reference.model import Model
from tests.reference.rules import Contribution, Known
from tests.reference.tiers import Scores, scores_at, tier_at


class Story:
    """One lead under the model of the moment. Its time, `at`, never runs backwards."""

    def __init__(self, lead_id: str, model: Model, at: int) -> None:
        """A lead that nobody has heard of is in the last tier."""
        self.lead_id = lead_id
        self.model = model
        self.evidence = Evidence(model)
        self.known = Known(self.evidence)
        self.at = at
        self.tier = len(model.tiers) - 1
        self.tier_since: int | None = None
        self.seq = 0
        self.scores: Scores = scores_at(self.known, at)
        self.deadline: int | None = None

    def take_event(self, event: dict[str, Any], received_at: int) -> dict[str, Any] | None:
        """Fold one event; the tier change that it causes, if any."""
        self.evidence.add(event)
        self.known = Known(self.evidence)
        return self._assess(max(self.at, received_at), {"event_id": event["event_id"], "kind": event["kind"]})

    def take_deadline(self) -> dict[str, Any] | None:
        """Go to the moment at which time alone changes something; the tier change that it causes, if any."""
        assert self.deadline is not None
        return self._assess(self.deadline, {"deadline": self._what_changes_at(self.deadline)})

    def take_model(self, model: Model, at: int) -> dict[str, Any] | None:
        """Look at the lead anew under a new model. A tier that it does not have counts as its last."""
        name = self.model.tiers[self.tier].name
        names = [tier.name for tier in model.tiers]
        self.tier = names.index(name) if name in names else len(names) - 1
        self.model = model
        self.evidence = self.evidence.under(model)
        self.known = Known(self.evidence)
        return self._assess(max(self.at, at), {"model": model.version}, from_tier=name)

    def take_merge(self, other: "Story", received_at: int) -> dict[str, Any] | None:
        """Take in all that is known of an alias; the tier change that it causes, if any.

        The better tier of the two holds, with its since; then the lead is looked at.
        """
        at = max(self.at, received_at)
        before, since = self.tier, self.tier_since
        held, held_since = (other.tier, other.tier_since) if other.tier < before else (before, since)
        self.evidence.absorb(other.evidence)
        self.known = Known(self.evidence)
        after = tier_at(self.model, scores_at(self.known, at), held, held_since, at)
        # Until it is looked at, the lead is where it was; what it may do from there is said by the tier that holds.
        self.tier, self.tier_since = held, held_since
        change = self._assess(at, {"merged_from": other.lead_id}, from_tier=self.model.tiers[before].name)
        assert self.tier == after
        if after == before:
            self.tier_since = since
            self.deadline = self._next_deadline()
        elif after == held:
            self.tier_since = held_since
            self.deadline = self._next_deadline()
        return change

    def leave(self, owner: str, received_at: int) -> dict[str, Any] | None:
        """Forget all, as it went to the owner; the tier change that this is, if any."""
        self.evidence = Evidence(self.model)
        self.known = Known(self.evidence)
        before, last = self.tier, len(self.model.tiers) - 1
        at = self.at = max(self.at, received_at)
        self.scores = scores_at(self.known, at)
        self.tier, self.deadline = last, None
        if before == last:
            return None
        return self._changed(at, self.model.tiers[before].name, {"merged_into": owner})

    def begin_again(self, received_at: int) -> None:
        """Be a lead of one's own again, of which nothing is known."""
        self.at = max(self.at, received_at)
        self.tier, self.tier_since = len(self.model.tiers) - 1, None

    def score(self) -> dict[str, Any]:
        """The current score."""
        return {
            "lead_id": self.lead_id,
            "tier": self.model.tiers[self.tier].name,
            "tier_since": self.tier_since,
            "seq": self.seq,
            **self.scores.dimensions,
            "total": self.scores.total,
            "reasons": [_reason(one) for one in self.scores.reasons],
            "changes_next_at": self.deadline,
            "profile": self._published(),
        }

    def _assess(self, at: int, cause: dict[str, Any], from_tier: str | None = None) -> dict[str, Any] | None:
        """Work out scores and tier at a moment, and the next deadline."""
        before = from_tier or self.model.tiers[self.tier].name
        self.at = at
        self.scores = scores_at(self.known, at)
        self.tier = tier_at(self.model, self.scores, self.tier, self.tier_since, at)
        after = self.model.tiers[self.tier].name
        change = self._changed(at, before, cause) if after != before else None
        self.deadline = self._next_deadline()
        return change

    def _changed(self, at: int, before: str, cause: dict[str, Any]) -> dict[str, Any]:
        """The change to the tier in which the lead is now."""
        self.seq += 1
        self.tier_since = at
        return {
            "lead_id": self.lead_id,
            "seq": self.seq,
            "from_tier": before,
            "to_tier": self.model.tiers[self.tier].name,
            "effective_at": at,
            **self.scores.dimensions,
            "total": self.scores.total,
            "reasons": [_reason(one) for one in self.scores.reasons],
            "cause": cause,
            "profile": self._published(),
        }

    def _published(self) -> dict[str, Any]:
        return {field: self.known.profile[field][0] for field in self.model.publish if field in self.known.profile}

    def _next_deadline(self) -> int | None:
        """The earliest moment later than now at which time alone changes the reasons or the tier.

        Every moment at which anything may change is looked at, in order, until one really changes something.
        """
        now = [(one.rule.name, one.points) for one in self.scores.reasons]
        moment = self.at
        while True:
            later = [found for rule in self.model.rules for found in self.known.moments(rule, moment)]
            if self.tier_since is not None and self._stays_until() > moment:
                later.append(self._stays_until())
            if not later:
                return None
            moment = min(later)
            scores = scores_at(self.known, moment)
            if [(one.rule.name, one.points) for one in scores.reasons] != now:
                return moment
            if tier_at(self.model, scores, self.tier, self.tier_since, moment) != self.tier:
                return moment

    def _stays_until(self) -> int:
        assert self.tier_since is not None
        return self.tier_since + self.model.tiers[self.tier].stay

    def _what_changes_at(self, moment: int) -> str:
        """The first rule of the file whose own points change at this very moment, else `stay_at_least`."""
        before = scores_at(self.known, moment - 1).points
        after = scores_at(self.known, moment).points
        return next((rule.name for rule in self.model.rules if before[rule.name] != after[rule.name]), "stay_at_least")


def _reason(one: Contribution) -> dict[str, Any]:
    return {"rule": one.rule.name, "dimension": one.rule.dimension, "points": one.points, "since": one.since}
