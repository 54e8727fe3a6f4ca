"""The first scoring model of `lead-events`: see `first_control`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.internal import encode_model
from schemas.log import MODEL_KEY, LogCodecError, ModelControl, decode_record
from scoring.model import Model
from scoring.reading import ModelError, read_model
from streams.first_control import FirstControl

__all__ = ["FirstModel"]


class FirstModel(FirstControl[ModelControl]):
    """Finds the first model of partitions.

    Args:
        topic: `lead-events` on the broker.
        internal: `lead-internal` on the broker.
        model: Published where the log has none.
        client_settings: Of an aiokafka client: broker and security.
        stamp_ms: Time of the request; None: the broker's.
    """

    def __init__(
        self,
        topic: str,
        internal: str,
        model: Model,
        client_settings: Mapping[str, Any],
        stamp_ms: int | None = None,
    ) -> None:
        what = f"model {model.name} version {model.version}"
        request = encode_model(model.name, model.version, model.sha256, model.text)
        super().__init__(topic, MODEL_KEY, internal, what, request, client_settings, stamp_ms)

    def read(self, value: bytes | None) -> ModelControl | str:
        """See `FirstControl`."""
        _, rows = decode_record(value)
        (control,) = rows
        if not isinstance(control, ModelControl):
            raise LogCodecError("keyed as a model, but it is none; only ingest may write this topic")
        try:
            read_model(control.body, control.model)
        except ModelError as error:
            return f"model {control.model} version {control.version} in the log ({error})"
        return control
