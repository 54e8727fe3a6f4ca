"""Who gets the next lead: teams, their picks, and how much everybody has.

Nothing here knows leads; the loads are told by whoever gives and takes leads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import msgspec

from scoring.routing.policy import Policy, Team
from scoring.routing.presence import Presence
from scoring.row_codec import RowCodecError

__all__ = ["OWNER_PREFIX", "TEAM_PREFIX", "Desk", "Picked"]

OWNER_PREFIX, TEAM_PREFIX = b"\0person:", b"\0team:"
"""Of the keys under which the table keeps what is known of owners and teams."""

_CODEC = 1

AWAY, FULL, OFF_HOURS, PRESENT = "away", "full", "off_hours", "present"


class Picked(msgspec.Struct):
    """What asking one team after the other came to.

    Attributes:
        owner: None: nobody.
        passed: Who was passed over, and why.
    """

    owner: str | None
    team: str | None
    passed: dict[str, str]


class _TeamRow(msgspec.Struct, array_like=True):
    """What a team remembers of its picks.

    Attributes:
        last: The last one picked.
        weights: Of smooth weighted round robin, by member.
    """

    codec: int = _CODEC
    last: str | None = None
    weights: dict[str, int] = {}


class _OwnerRow(msgspec.Struct, array_like=True):
    codec: int = _CODEC
    picks: int = 0


_encode = msgspec.msgpack.Encoder().encode
_decode_team = msgspec.msgpack.Decoder(_TeamRow).decode
_decode_owner = msgspec.msgpack.Decoder(_OwnerRow).decode


class Desk:
    """The teams of the active policy.

    Attributes:
        loads: Open leads by owner, over all teams.
    """

    def __init__(self) -> None:
        self.loads: dict[str, int] = {}
        self._owners: dict[str, _OwnerRow] = {}
        self._teams: dict[str, _TeamRow] = {}
        self._changed: set[bytes] = set()
        self._policy: Policy | None = None
        self._presence: Presence | None = None

    # --- state ------------------------------------------------------------------------------------------------------

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Takes a row of the table; None deletes.

        Raises:
            RowCodecError: It cannot be read, or is of a newer version.
        """
        if key.startswith(OWNER_PREFIX):
            _restore(self._owners, key[len(OWNER_PREFIX) :].decode(), value, _decode_owner)
        else:
            _restore(self._teams, key[len(TEAM_PREFIX) :].decode(), value, _decode_team)

    def changed_rows(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Rows that changed since the last call, in order of their keys; None deletes."""
        for key in sorted(self._changed):
            rows: dict[str, _OwnerRow] | dict[str, _TeamRow]
            prefix, rows = (OWNER_PREFIX, self._owners) if key.startswith(OWNER_PREFIX) else (TEAM_PREFIX, self._teams)
            row = rows.get(key[len(prefix) :].decode())
            yield key, None if row is None else _encode(row)
        self._changed.clear()

    def open_with(self, policy: Policy, presence: Presence) -> None:
        """The active policy is this; what is remembered holds."""
        self._policy, self._presence = policy, presence

    def switch(self, policy: Policy, presence: Presence) -> None:
        """The next policy: teams whose members, weights or pick changed start anew."""
        before = self._policy
        if before is not None:
            for name in [*self._teams]:
                if _definition(policy, name) != _definition(before, name):
                    del self._teams[name]
                    self._changed.add(TEAM_PREFIX + name.encode())
            for name in [*self._owners]:
                if name not in policy.owners:
                    del self._owners[name]
                    self._changed.add(OWNER_PREFIX + name.encode())
        self.open_with(policy, presence)

    # --- picks ------------------------------------------------------------------------------------------------------

    def has_candidate(self, teams: Iterable[str], at_ms: int) -> bool:
        """Whether any of the teams could take a lead that nobody has."""
        assert self._policy is not None
        found = (self._policy.teams[name] for name in teams)
        return any(self._obstacle(team, member, at_ms, None) is None for team in found for member in team.members)

    def pick(self, teams: Iterable[str], at_ms: int, own: str | None = None, never: str | None = None) -> Picked:
        """Asks one team after the other.

        Args:
            teams: Their names, which must be known.
            at_ms: Who is free is asked at this moment.
            own: The owner of the lead if it is open: it does not count in its own pick.
            never: Who must not get it.
        """
        assert self._policy is not None
        passed: dict[str, str] = {}
        for name in teams:
            team = self._policy.teams[name]
            candidates = []
            for member in team.members:
                obstacle = PRESENT if member == never else self._obstacle(team, member, at_ms, own)
                if obstacle is None:
                    candidates.append(member)
                else:
                    passed.setdefault(member, obstacle)
            if candidates:
                return Picked(self._picked(team, candidates, own), name, passed)
        return Picked(None, None, passed)

    def _obstacle(self, team: Team, member: str, at_ms: int, own: str | None) -> str | None:
        """Why a member is no candidate; None: it is one."""
        assert self._presence is not None
        assert self._policy is not None
        if self._presence.away(member, at_ms):
            return AWAY
        capacity = self._policy.owners[member].capacity
        if capacity is not None and self._load(member, own) >= capacity:
            return FULL
        if team.working_only and not self._presence.working(member, at_ms):
            return OFF_HOURS
        return None

    def _load(self, member: str, own: str | None) -> int:
        return self.loads.get(member, 0) - (member == own)

    def _picked(self, team: Team, candidates: list[str], own: str | None) -> str:
        row = self._teams.get(team.key)
        if row is None:
            row = self._teams[team.key] = _TeamRow(weights={})
        if team.pick == "round_robin":
            picked = _next_in_turn(team.members, candidates, row.last)
        elif team.pick == "weighted":
            picked = self._by_weight(candidates, row.weights)
        else:
            picked = min(candidates, key=lambda member: (self._load(member, own), self._picks(member)))
        row.last = picked
        owner = self._owners.setdefault(picked, _OwnerRow())
        owner.picks += 1
        self._changed |= {TEAM_PREFIX + team.key.encode(), OWNER_PREFIX + picked.encode()}
        return picked

    def _picks(self, member: str) -> int:
        row = self._owners.get(member)
        return 0 if row is None else row.picks

    def _by_weight(self, candidates: list[str], weights: dict[str, int]) -> str:
        """Smooth weighted round robin, as in nginx."""
        assert self._policy is not None
        total = 0
        for member in candidates:
            weight = self._policy.owners[member].weight
            weights[member] = weights.get(member, 0) + weight
            total += weight
        picked = max(candidates, key=lambda member: weights[member])
        weights[picked] -= total
        return picked


_Row = TypeVar("_Row", _OwnerRow, _TeamRow)


def _restore(rows: dict[str, _Row], name: str, value: bytes | None, decode: Callable[[bytes], _Row]) -> None:
    if value is None:
        rows.pop(name, None)
        return
    try:
        row = decode(value)
    except msgspec.MsgspecError as error:
        raise RowCodecError(f"the row of {name} cannot be decoded: {error}") from error
    if row.codec != _CODEC:
        raise RowCodecError(f"the row of {name} has codec {row.codec}, this program reads codec {_CODEC}; upgrade it")
    rows[name] = row


def _next_in_turn(members: tuple[str, ...], candidates: list[str], last: str | None) -> str:
    """The next candidate after the last one, in the order of the members."""
    begin = members.index(last) + 1 if last in members else 0
    turn = (*members[begin:], *members[:begin])
    return next(member for member in turn if member in candidates)


def _definition(policy: Policy, name: str) -> object:
    team = policy.teams.get(name)
    return (
        None if team is None else (team.members, [policy.owners[member].weight for member in team.members], team.pick)
    )
