"""A model, a policy or a merge on its way into the log: one that cannot be read must not get there."""

from __future__ import annotations

from schemas.errors import Refused
from schemas.internal import ModelRequest, PolicyRequest
from schemas.log import Merge
from scoring.merging import BadMerge, check_body
from scoring.reading import ModelError, read_model
from scoring.routing.reading import PolicyError, read_policy
from scoring.row_codec import RowCodecError

__all__ = ["check_merge", "check_model", "check_policy"]


def check_merge(merge: Merge) -> Merge:
    """A merge whose body is a row of the table, of this version or any other.

    Raises:
        Refused: `bad_merge`.
    """
    try:
        check_body(merge.body)
    except BadMerge as error:
        raise Refused("bad_merge", str(error)) from error
    except RowCodecError:
        # Of a newer version: the score worker that reads it will be of that version too, or stop and say so.
        pass
    return merge


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


def check_policy(request: PolicyRequest) -> None:
    """Whether a policy can be read, and is what its request says.

    Raises:
        Refused: `bad_policy`, with every error of the file.
    """
    try:
        policy = read_policy(request.body, request.name)
    except PolicyError as error:
        raise Refused("bad_policy", "; ".join(str(problem) for problem in error.problems)[:2000]) from error
    if (policy.name, policy.version) != (request.name, request.version):
        raise Refused(
            "bad_policy",
            f"the request says {request.name} version {request.version}, its body {policy.name} version "
            f"{policy.version}",
        )
