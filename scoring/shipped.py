"""The models that ship, by name: `b2b-default` and `fit-behaviour-200`.

They are files of the package, read through `importlib.resources`; nothing else here touches the disk.
"""

from __future__ import annotations

from functools import cache
from importlib import resources

from scoring.model import Model
from scoring.reading import read_model

__all__ = ["shipped_model", "shipped_models", "shipped_text"]

_SUFFIX = ".yaml"


@cache
def shipped_models() -> tuple[str, ...]:
    """Their names, sorted.

    >>> shipped_models()
    ('b2b-default', 'fit-behaviour-200')
    """
    files = resources.files("scoring.models").iterdir()
    return tuple(sorted(file.name.removesuffix(_SUFFIX) for file in files if file.name.endswith(_SUFFIX)))


def shipped_text(name: str) -> str:
    """The file of a shipped model.

    Raises:
        KeyError: There is none of that name.
    """
    if name not in shipped_models():
        raise KeyError(name)
    return resources.files("scoring.models").joinpath(name + _SUFFIX).read_bytes().decode()


@cache
def shipped_model(name: str) -> Model:
    """A shipped model, read.

    Raises:
        KeyError: There is none of that name.
    """
    return read_model(shipped_text(name), name + _SUFFIX)
