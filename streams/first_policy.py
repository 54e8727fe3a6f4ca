"""The first routing policy of `lead-routing`: see `first_control`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.internal import encode_policy
from schemas.log import POLICY_KEY, LogCodecError
from schemas.routing_log import PolicyControl, decode_routing
from scoring.routing.policy import Policy
from scoring.routing.reading import PolicyError, read_policy
from streams.first_control import FirstControl

__all__ = ["FirstPolicy"]


class FirstPolicy(FirstControl[PolicyControl]):
    """Finds the first policy.

    Args:
        topic: `lead-routing` on the broker.
        internal: `lead-internal` on the broker.
        policy: Published where the topic has none.
        client_settings: Of an aiokafka client: broker and security.
        stamp_ms: Time of the request; None: the broker's.
    """

    def __init__(
        self,
        topic: str,
        internal: str,
        policy: Policy,
        client_settings: Mapping[str, Any],
        stamp_ms: int | None = None,
    ) -> None:
        what = f"policy {policy.name} version {policy.version}"
        request = encode_policy(policy.name, policy.version, policy.sha256, policy.text)
        super().__init__(topic, POLICY_KEY, internal, what, request, client_settings, stamp_ms)

    def read(self, value: bytes | None) -> PolicyControl | str:
        """See `FirstControl`."""
        rows = decode_routing(value)
        if len(rows) != 1 or not isinstance(rows[0], PolicyControl):
            raise LogCodecError("keyed as a policy, but it is none; only score may write this topic")
        control = rows[0]
        try:
            read_policy(control.body, control.policy)
        except PolicyError as error:
            return f"policy {control.policy} version {control.version} in the log ({error})"
        return control
