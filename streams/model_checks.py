"""A model on its way into the log: one that cannot be read must not get there."""

from __future__ import annotations

from schemas.errors import Refused
from schemas.internal import ModelRequest
from scoring.reading import ModelError, read_model

__all__ = ["check_model"]


def check_model(request: ModelRequest) -> None:
    """Whether a model can be read, and is what its request says.

    Raises:
        Refused: `bad_model`, with every error of the file.
    """
    try:
        model = read_model(request.body, request.name)
    except ModelError as error:
        raise Refused("bad_model", "; ".join(str(problem) for problem in error.problems)[:2000]) from error
    if (model.name, model.version) != (request.name, request.version):
        raise Refused(
            "bad_model",
            f"the request says {request.name} version {request.version}, its body {model.name} version {model.version}",
        )
