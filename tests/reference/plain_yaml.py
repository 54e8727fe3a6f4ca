"""A model's YAML text as the plain dict that the reference reads."""

import re
from typing import Any

import yaml


class _Words(yaml.SafeLoader):
    """YAML in which only `true`, `false` and decimal whole numbers are not text: `on` is the key `on`."""


_Words.yaml_implicit_resolvers = {}


_Words.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_Words.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]+$"), list("-+0123456789"))
_Words.add_constructor("tag:yaml.org,2002:int", lambda _, node: int(node.value))


def plain_model(text: str) -> dict[str, Any]:
    """The dict that a model's text spells.

    >>> plain_model("signals: {form: {on: form_fill, where: {form_type: no}}}")
    {'signals': {'form': {'on': 'form_fill', 'where': {'form_type': 'no'}}}}
    """
    loaded: dict[str, Any] = yaml.load(text, Loader=_Words)
    return loaded
