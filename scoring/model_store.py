"""The models of a partition as rows of its table: the active one, and the one before it."""

from __future__ import annotations

from scoring.compiled import CompiledModel
from scoring.memo import MODEL_BEFORE_KEY, MODEL_KEY, ModelRow
from scoring.model import Model
from scoring.row_codec import RowCodecError

__all__ = ["ModelStore"]


class ModelStore:
    """Rows of models.

    Attributes:
        version: Of the active model; None before the first.
    """

    def __init__(self) -> None:
        self.version: int | None = None
        self._rows: dict[bytes, bytes] = {}
        self._unwritten: list[bytes] = []

    def restore(self, key: bytes, value: bytes) -> None:
        """Takes a row of the table."""
        self._rows[key] = value

    def active(self) -> CompiledModel:
        """The active model.

        Raises:
            RowCodecError: It is not there, is none, or is of another version than `version`.
        """
        model = self._read(MODEL_KEY)
        if model.ref.version != self.version:
            raise RowCodecError(
                f"the table has version {model.ref.version} of the model, its checkpoint says {self.version}"
            )
        return model

    def before(self) -> CompiledModel:
        """The model before it.

        Raises:
            RowCodecError: It is not there, or is none.
        """
        return self._read(MODEL_BEFORE_KEY)

    def switch(self, model: Model) -> None:
        """This one is active from now on."""
        if MODEL_KEY in self._rows:
            self._rows[MODEL_BEFORE_KEY] = self._rows[MODEL_KEY]
        self._rows[MODEL_KEY] = ModelRow.of(model).encode()
        self._unwritten = list(self._rows)
        self.version = model.version

    def unwritten(self) -> list[tuple[bytes, bytes]]:
        """Takes away the rows that have changed."""
        found = [(key, self._rows[key]) for key in self._unwritten]
        self._unwritten = []
        return found

    def _read(self, key: bytes) -> CompiledModel:
        value = self._rows.get(key)
        if value is None:
            raise RowCodecError(f"the model is missing in the table (key {key!r})")
        return CompiledModel(ModelRow.decode(value).read())
