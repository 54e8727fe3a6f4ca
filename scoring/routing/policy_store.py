"""The active policy as a row of route's table."""

from __future__ import annotations

from scoring.memo import ModelRow
from scoring.routing.memo import MEMO_CODEC, POLICY_KEY
from scoring.routing.policy import Policy
from scoring.routing.reading import PolicyError, read_policy
from scoring.row_codec import RowCodecError

__all__ = ["PolicyStore"]


class PolicyStore:
    """The policy's row.

    Attributes:
        version: Of the active policy; None before the first.
    """

    def __init__(self) -> None:
        self.version: int | None = None
        self._row: bytes | None = None
        self._written = True

    def restore(self, value: bytes | None) -> None:
        """Takes the row of the table."""
        self._row = value

    def active(self) -> Policy:
        """The active policy.

        Raises:
            RowCodecError: It is not there, is none, or is of another version than `version`.
        """
        if self._row is None:
            raise RowCodecError(f"the policy is missing in the table (key {POLICY_KEY!r})")
        row = ModelRow.decode(self._row)
        try:
            policy = read_policy(row.text, row.name)
        except PolicyError as error:
            raise RowCodecError(f"the policy {row.name} of the table cannot be read: {error}") from error
        if policy.version != self.version:
            raise RowCodecError(
                f"the table has version {policy.version} of the policy, its checkpoint says {self.version}"
            )
        return policy

    def switch(self, policy: Policy) -> None:
        """This one is active from now on."""
        row = ModelRow(MEMO_CODEC, policy.name, policy.version, policy.sha256, policy.text)
        self._row, self._written, self.version = row.encode(), False, policy.version

    def unwritten(self) -> list[tuple[bytes, bytes | None]]:
        """Takes away the row, where it has changed."""
        if self._written:
            return []
        self._written = True
        return [(POLICY_KEY, self._row)]
