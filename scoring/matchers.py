"""How rules that remember their latest match find it; apart from their kinds, and compiled, as evaluators are."""

from __future__ import annotations

from librt.vecs import vec
from mypy_extensions import i64, mypyc_attr

from scoring.evidence import times_at
from scoring.known import NO_MATCH, Known

__all__ = ["InOrder", "Matcher", "Repeat", "Together"]


@mypyc_attr(allow_interpreted_subclasses=True)
class Matcher:
    """How a rule that remembers its latest match finds it.

    Attributes:
        rule: Its number, in the order of the file.
    """

    def __init__(self, rule: int) -> None:
        self.rule: i64 = rule

    def match(self, known: Known) -> i64:
        """The latest match in what is kept now, or `NO_MATCH`."""
        raise NotImplementedError


class Repeat(Matcher):
    """The latest occurrence that closes a window."""

    def __init__(self, rule: int, signals: vec[i64], times: int, within: int) -> None:
        super().__init__(rule)
        self.signals = signals
        self.times: i64 = times
        self.within: i64 = within

    def match(self, known: Known) -> i64:
        """See `Matcher`."""
        moments = times_at(known.evidence, known.places, self.signals)
        last: i64 = len(moments) - 1
        while last >= self.times - 1:
            if moments[last] - moments[last - self.times + 1] < self.within:
                return moments[last]
            last -= 1
        return NO_MATCH


class Together(Matcher):
    """The latest moment that ends a window with one occurrence of every signal."""

    def __init__(self, rule: int, parts: list[vec[i64]], within: int) -> None:
        super().__init__(rule)
        self.parts = parts
        self.within: i64 = within

    def match(self, known: Known) -> i64:
        """See `Matcher`."""
        moments: list[vec[i64]] = []
        for numbers in self.parts:
            times = times_at(known.evidence, known.places, numbers)
            if not len(times):
                return NO_MATCH
            moments.append(times)
        return self.latest_end(moments, known.matches[self.rule])

    def latest_end(self, moments: list[vec[i64]], found: i64) -> i64:
        """The latest end of a window that holds a moment of every list, if it is later than the one found before."""
        for part in self._ends(moments):
            place: i64 = len(part) - 1
            while place >= 0 and part[place] > found:
                if self._begin(moments, part[place]) > part[place] - self.within:
                    found = part[place]
                place -= 1
        return found

    def _ends(self, moments: list[vec[i64]]) -> list[vec[i64]]:
        """The lists that a window may end with."""
        return moments

    def _begin(self, moments: list[vec[i64]], end: i64) -> i64:
        """The earliest of the latest moments, one of every list, that are not after the end; `NO_MATCH`: none."""
        begin = end
        for part in moments:
            begin = min(begin, _latest_until(part, end))
        return begin


class InOrder(Together):
    """The same, for moments in the listed order, equal ones allowed."""

    def _ends(self, moments: list[vec[i64]]) -> list[vec[i64]]:
        return moments[-1:]

    def _begin(self, moments: list[vec[i64]], end: i64) -> i64:
        """See `Together`: of the chain that reaches back least.

        It takes, from the last list to the first, the latest moment that is not after the one chosen behind it.
        """
        begin = end
        for part in reversed(moments):
            begin = _latest_until(part, begin)
        return begin


def _latest_until(moments: vec[i64], until: i64) -> i64:
    """The latest of some moments, in ascending order, that is not after another; `NO_MATCH`: none."""
    place: i64 = len(moments)
    while place > 0:
        place -= 1
        if moments[place] <= until:
            return moments[place]
    return NO_MATCH
