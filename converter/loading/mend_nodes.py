"""Calls of models inside a model, counted as Keras 3 counts them.

A network's layers refer to each other by name, number of the call, and number of the
output. Keras 2 counted the calls of a model inside another from 1: call 0 was the one
that it was built with. Keras 3 counts from 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_MODELS = ("Functional", "Sequential")


def renumber(config: dict[str, Any]) -> None:
    """Count calls of the models inside a network from 0, where they start with 1.

    Parameters
    ----------
    config : dict
        Of a Keras 2 network; changed.

    Examples
    --------
    >>> inner = {"class_name": "Functional", "name": "inner"}
    >>> inner["inbound_nodes"] = [[["image", 0, 0, {}]]]
    >>> config = {"layers": [inner], "output_layers": [["inner", 1, 0]]}
    >>> renumber(config)
    >>> config["output_layers"]
    [['inner', 0, 0]]
    """
    for layer in config["layers"]:
        if not isinstance(layer, dict) or layer.get("class_name") not in _MODELS:
            continue
        others = [one for one in config["layers"] if isinstance(one, dict)]
        places = [config.get("output_layers"), [o.get("inbound_nodes") for o in others]]
        found = list(_references(places, layer.get("name")))
        calls = layer.get("inbound_nodes")
        count = len(calls) if isinstance(calls, list) else 0
        numbers = [reference[1] for reference in found]
        if numbers and min(numbers) >= 1 and max(numbers) >= count:
            for reference in found:
                reference[1] -= 1


def _references(value: Any, name: Any) -> Iterator[list[Any]]:
    """Yield every list that starts with a name and two numbers."""
    if isinstance(value, dict):
        for one in value.values():
            yield from _references(one, name)
    if isinstance(value, list):
        start = value[:3]
        if [type(one) for one in start] == [str, int, int] and start[0] == name:
            yield value
        for one in value:
            yield from _references(one, name)
