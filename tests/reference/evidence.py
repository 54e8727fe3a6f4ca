"""What a lead's history amounts to: occurrences of signals, matches once earned, and the profile.

**Why trimming the whole history is the same as trimming after every event.** A lead keeps the `keep` greatest
(time, key) of a signal, each key once, at its latest time. Let H be a history, L(H) the latest time of each key in it,
K(H) the `keep` greatest of L(H). The kernel never sees H again: after an event o = (t, k) it has the greatest of
K(H) with o. That is K(H with o), because L changes at k alone and only upwards:

- k was kept: its time becomes the later of the two in both. The others that were kept stay at least as great as all
  that was not.
- k was not kept (unknown, or pushed out): in the whole history its time is max(t, L(H)[k]). If t is the greater, both
  see (t, k). If not, both leave it out: (L(H)[k], k) was smaller than all that is kept, so the older (t, k) is too, and
  nothing that is kept has shrunk. So an older duplicate of a key that was pushed out does not come back over newer
  occurrences, and a later one does, with its later time.

So the kept set is worked out from the whole history here. Matches are not a function of the final set ("once earned it
stays"): at every arrival the latest match over what is kept then is found, and the latest of all of them is the one
that counts.
"""

from typing import Any

from xxhash import xxh3_64_intdigest

from tests.reference.model import Model, Rule, Signal
from tests.reference.values import field_of

KEPT_TEXT = 200
"""Of a text in the profile so many characters are kept."""

Occurrence = tuple[int, int]
"""(time, key)"""


def key_of(signal: Signal, event: dict[str, Any]) -> int:
    """The key under which an event counts for a signal."""
    if signal.distinct is not None:
        value = field_of(event, signal.distinct)
        if value is not None:
            return xxh3_64_intdigest(f"{signal.distinct}\0{value}".encode())
    return xxh3_64_intdigest(event["event_id"].encode())


def latest_of_each_key(occurrences: list[Occurrence]) -> list[Occurrence]:
    """Every key once, at its latest time; oldest first."""
    latest: dict[int, int] = {}
    for time, key in occurrences:
        latest[key] = max(time, latest.get(key, time))
    return sorted((time, key) for key, time in latest.items())


class Evidence:
    """All that is known of one lead under one model, and what was known of it before that model came."""

    def __init__(self, model: Model) -> None:
        """Nothing is known yet."""
        self.model = model
        self.history: dict[str, list[Occurrence]] = {name: [] for name in model.signals}
        self.matches: dict[str, int] = {}
        self.fields: dict[str, list[tuple[int, int, Any]]] = {name: [] for name in model.profile_fields}

    def add(self, event: dict[str, Any]) -> None:
        """Take in one event, then remember the matches that it closes."""
        for name, signal in self.model.signals.items():
            if signal.counts(event):
                self.history[name].append((event["occurred_at"], key_of(signal, event)))
        if event["kind"] == "profile":
            digest = xxh3_64_intdigest(event["event_id"].encode())
            for field, value in (event.get("fields") or {}).items():
                if field in self.fields:
                    self.fields[field].append((event["occurred_at"], digest, value))
        self.remember_matches()

    def absorb(self, other: "Evidence") -> None:
        """Take in all that is known of another lead, which turned out to be the same person."""
        for name in self.history:
            self.history[name] += other.history[name]
        for field in self.fields:
            self.fields[field] += other.fields[field]
        for rule, moment in other.matches.items():
            self.matches[rule] = max(moment, self.matches.get(rule, moment))
        self.remember_matches()

    def kept(self, name: str) -> list[Occurrence]:
        """The occurrences of a signal that a lead remembers, oldest first."""
        return latest_of_each_key(self.history[name])[-self.model.signals[name].keep :]

    def union(self, names: tuple[str, ...]) -> list[Occurrence]:
        """The occurrences of a list of signals, oldest first."""
        return latest_of_each_key([one for name in names for one in self.kept(name)])

    def profile(self) -> dict[str, tuple[Any, int]]:
        """Each field that has a value: the value with the greatest (time, digest of event_id), and its time."""
        found: dict[str, tuple[Any, int]] = {}
        for field, values in self.fields.items():
            if values:
                time, _, value = max(values, key=lambda one: one[:2])
                if value is not None and not (isinstance(value, str) and not value.strip()):
                    found[field] = (value[:KEPT_TEXT] if isinstance(value, str) else value, time)
        return found

    def remember_matches(self) -> None:
        """Find the latest match of every `repeat` and `together` over what is kept now; an earlier one never wins."""
        for rule in self.model.rules:
            if rule.kind in ("repeat", "together"):
                moment = self._latest_match(rule)
                if moment is not None:
                    self.matches[rule.name] = max(moment, self.matches.get(rule.name, moment))

    def _latest_match(self, rule: Rule) -> int | None:
        assert rule.within is not None
        times = [[time for time, _ in self.union(names)] for names in rule.signals]
        if rule.kind == "repeat":
            return latest_repeat(times[0], rule.times, rule.within)
        if rule.in_order:
            return latest_in_order(times, rule.within)
        return latest_together(times, rule.within)

    def under(self, model: Model) -> "Evidence":
        """What stays known when a new model comes.

        What the new model defines in the same words stays, also under another name: occurrences of a signal, the match
        of a rule, the values of a profile field. What it does not name is forgotten; what is new starts empty, but a
        new `repeat` or `together` over signals that stay looks at what is remembered of them.
        """
        new = Evidence(model)
        old_signals = {signal.definition: name for name, signal in self.model.signals.items()}
        for name, signal in model.signals.items():
            if signal.definition in old_signals:
                new.history[name] = self.kept(old_signals[signal.definition])
        matching = ("repeat", "together")
        old_matches = {
            self.model.match_definition(rule): self.matches.get(rule.name)
            for rule in self.model.rules
            if rule.kind in matching
        }
        for rule in model.rules:
            moment = old_matches.get(model.match_definition(rule)) if rule.kind in matching else None
            if moment is not None:
                new.matches[rule.name] = moment
        for field in new.fields:
            new.fields[field] = list(self.fields.get(field, []))
        new.remember_matches()
        return new


def latest_repeat(times: list[int], count: int, within: int) -> int | None:
    """The latest time that closes a window: with `count - 1` others before it, newest minus oldest < `within`."""
    closings = [times[last] for last in range(count - 1, len(times)) if times[last] - times[last - count + 1] < within]
    return max(closings, default=None)


def latest_together(times: list[list[int]], within: int) -> int | None:
    """The latest time at which one occurrence of every signal lies within the window that ends then."""
    moments = [
        end
        for end in {time for one in times for time in one}
        if all(any(end - within < time <= end for time in one) for one in times)
    ]
    return max(moments, default=None)


def latest_in_order(times: list[list[int]], within: int) -> int | None:
    """The latest end of a chain, one time of every signal in the listed order, equal times allowed.

    For a given end the chain that goes back least is found by taking, from the last signal to the first, the latest
    time that is not after the one chosen behind it.
    """
    ends = []
    for end in times[-1]:
        start: int | None = end
        for one in reversed(times[:-1]):
            start = max((time for time in one if start is not None and time <= start), default=None)
        if start is not None and end - start < within:
            ends.append(end)
    return max(ends, default=None)
