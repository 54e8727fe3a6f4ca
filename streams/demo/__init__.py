"""The demo: an embedded broker, people who behave, and the workers as they run in production."""

from __future__ import annotations
