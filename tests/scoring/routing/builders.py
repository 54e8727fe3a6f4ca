"""Policies with one thing in them that a test is about, and the way a policy file has it."""

import json
from typing import Any

PLAIN: dict[str, Any] = {
    "policy": "test",
    "version": 1,
    "owners": {"ann": {}},
    "teams": {"desk": {"members": ["ann"]}},
    "routes": [{"tier": "hot", "team": "desk"}],
}


def policy_text(**sections: Any) -> str:
    """A policy file with these sections instead of the plain ones."""
    return json.dumps(PLAIN | sections)
