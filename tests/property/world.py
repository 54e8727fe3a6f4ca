"""The small world that random models and streams share, so that signals meet events often.

`VALUES` says what events carry, `ASKED` what signals ask for; `PROFILE_VALUES` and `PROFILE_ASKED` say the same of
profiles. None is a field that is left out.
"""

from typing import Any

URLS = (
    "https://shop.example/pricing",
    "https://Shop.example:8443/Pricing/?a=1",
    "https://shop.example/services/x#top",
    "https://www.example/blog/a%20b",
    "https://shop.example",
    "https://user@www.example/blog/",
    "/pricing",
    "not an address",
)

_SOURCE: dict[str, tuple[Any, ...]] = {"source": (None, "web", "CRM")}
_MAIL: dict[str, tuple[Any, ...]] = {
    **_SOURCE,
    "message_id": ("m1", "m2", "m3"),
    "campaign_id": (None, "autumn", "Proposal 7"),
    "machine": (None, False, True),
}
_MAIL_ACTIVITY = {**_MAIL, "url": (None, *URLS[:3]), "in_reply_to": (None, "m1", "proposal")}

VALUES: dict[str, dict[str, tuple[Any, ...]]] = {
    "page_view": {
        **_SOURCE,
        "url": URLS,
        "title": (None, "Offer", " offer of the week"),
        "referrer": (None, "https://www.linkedin.example/"),
        "dwell_ms": (None, 0, 999, 1000, 5000, 5001),
        "session_id": (None, "s1", "s2", "s3"),
    },
    "download": {**_SOURCE, "asset": ("rfp.pdf", "Comparison.pdf"), "url": (None, URLS[0])},
    "email_open": _MAIL,
    "email_sent": _MAIL_ACTIVITY,
    "email_click": _MAIL_ACTIVITY,
    "email_reply": _MAIL_ACTIVITY,
    "unsubscribe": _MAIL_ACTIVITY,
    "resubscribe": _MAIL_ACTIVITY,
    "complaint": _MAIL_ACTIVITY,
    "form_fill": {
        **_SOURCE,
        "form_id": ("f1",),
        "form_type": (None, "demo", "Contact", "meeting"),
        "fields.team": (None, "Sales", "no", " sales "),
        "fields.seats": (None, 19, 25, "25", " 25 ", "x", True, 1, "-3"),
        "fields.eu": (None, True, False, "true", 1),
    },
    "bounce": {**_SOURCE, "message_id": ("m1", "m2"), "bounce_type": ("hard", "soft"), "reason": (None, "unknown")},
    "sales_activity": {**_SOURCE, "activity": ("contacted", "proposal_sent"), "by": (None, "rep-1"), "reason": (None,)},
}

ASKED: dict[str, tuple[Any, ...]] = {
    "source": ("web", "crm", "*"),
    "path": ("/pricing*", "/PRICING", "/", "*a*", "/blog/a b", ["/blog*", "/services*"], "/p*c*g"),
    "host": ("shop.example", "*.example", "SHOP.example "),
    "url": ("https:*", "*pricing*"),
    "title": ("*offer*", "offer"),
    "referrer": ("*linkedin*",),
    "dwell_ms": ("1000..", "..999", "1000..5000", 1000, [0, "5001.."]),
    "session_id": ("s1", ["S2", "s3"], "*"),
    "asset": ("*rfp*", "comparison.pdf"),
    "message_id": ("m1", "*"),
    "campaign_id": ("autumn", "*proposal*"),
    "machine": (False, True, [True, False]),
    "in_reply_to": ("*proposal*", "m1"),
    "form_type": ("demo", ["demo", "meeting"], "*o*"),
    "form_id": ("f1",),
    "fields.team": ("sales", "no", "s*"),
    "fields.seats": ("20..", 25, "..19", "25", True, 1, ["x", -3]),
    "fields.eu": (True, False, "true", 1),
    "bounce_type": ("hard", "*"),
    "reason": ("unknown",),
    "activity": ("contacted", ["contacted", "proposal_sent"]),
    "by": ("rep*",),
}

LONG = "long " * 60
"""Longer than what a row keeps of a text."""

PROFILE_VALUES: dict[str, tuple[Any, ...]] = {
    "industry": ("saas", "SaaS ", "retail", LONG, "", "  ", None),
    "seniority": ("vp", "c_level", "intern", None, "\t"),
    "company_size": (10, 50, 500, 501, "50", " 60 ", "many", None),
    "vip": (True, False, "true", 1, None),
    "country": ("DE", "ES", None, ""),
    "nobody_asks": ("x",),
}

PROFILE_ASKED: dict[str, tuple[Any, ...]] = {
    "industry": ("saas", "*a*", ["software", "saas"], "long*"),
    "seniority": (["vp", "c_level"], "vp"),
    "company_size": ("50..500", "..49", "501..", 50, "50"),
    "vip": (True, False, 1),
    "country": ("de", "*"),
}


def asked_fields(kind: str) -> tuple[str, ...]:
    """The fields that a signal on a kind may ask for."""
    own = tuple(field for field in VALUES[kind] if field in ASKED)
    return (*own, "host", "path") if "url" in VALUES[kind] else own
