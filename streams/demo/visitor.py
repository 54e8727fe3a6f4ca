"""The story of somebody who has no name yet: looks at prices, fills in a form, and turns out to be a known lead.

Nobody of these three (a cookie, an address, a lead of the CRM) is hot alone. Together they are: the visit before the
form counts, by the rule `pricing_and_form`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from schemas.times import iso
from streams.demo.person import SITE

__all__ = ["PAUSE_S", "Visitors"]

PAUSE_S = 2.0
"""Between two steps of the story; long enough to see what each brings."""


class Visitors:
    """One visitor after the other."""

    def __init__(self) -> None:
        self._number = 0
        self._story: Iterator[dict[str, Any]] = iter(())

    def next_event(self, now_ms: int) -> dict[str, Any]:
        """The next step of the story, now; a new visitor comes behind the last one."""
        step = next(self._story, None)
        if step is None:
            self._number += 1
            self._story = _story(self._number)
            step = next(self._story)
        return step | {"occurred_at": iso(now_ms)}


def _story(number: int) -> Iterator[dict[str, Any]]:
    browser = {"anonymous_id": f"visitor-{number}"}
    address = {"email": f"visitor-{number}@orchard.example"}
    lead = {"lead_id": f"crm-{number:04d}"}
    fit = {"seniority": "vp", "industry": "saas", "company": "Orchard Cloud", "company_size": 200, "country": "DE"}
    visit = {"kind": "page_view", "source": "web", "lead": browser, "session_id": f"s-visitor-{number}"}
    steps: list[dict[str, Any]] = [
        visit | {"url": f"{SITE}/pricing"},
        visit | {"url": f"{SITE}/services"},
        {"kind": "form_fill", "source": "web", "lead": browser | address, "form_id": "contact", "form_type": "contact"},
        {"kind": "profile", "source": "crm", "lead": lead | address, "fields": fit},
    ]
    for place, step in enumerate(steps):
        yield {"event_id": f"visitor-{number}-{place}"} | step
