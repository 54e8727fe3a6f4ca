"""Records of every topic as JSON lines: what `leadstream read` prints."""

from __future__ import annotations

import base64

__all__ = ["text_or_base64"]


def text_or_base64(content: bytes | None) -> str | dict[str, str] | None:
    """Bytes for JSON: as text where they are UTF-8, else `{"base64": …}`."""
    if content is None:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}
