"""Every rule kind, in the order of the language's table. To add one: a file here and a line in `RULE_KINDS`."""

from __future__ import annotations

from scoring.rules.base import RuleKind
from scoring.rules.each import Each
from scoring.rules.only import Only
from scoring.rules.profile import Profile
from scoring.rules.repeat import Repeat
from scoring.rules.silence import Silence
from scoring.rules.streak import Streak
from scoring.rules.together import Together

__all__ = ["RULE_KINDS", "RuleKind"]

RULE_KINDS: tuple[type[RuleKind], ...] = (Each, Repeat, Together, Streak, Only, Silence, Profile)
