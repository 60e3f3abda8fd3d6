"""Names of layers with a slash, which Keras 2 allowed and Keras 3 does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeseg.devices.types import Json


def without_slashes(config: Json) -> dict[str, str]:
    """Name every layer without slashes, in models inside a network too.

    Parameters
    ----------
    config : dict
        Of a Keras 2 network, an entry of a model; changed.

    Returns
    -------
    dict of str to str
        Old to new name, of the layers of the network itself: those of models inside
        it have no weights of their own in a file.

    Examples
    --------
    >>> layers = [{"class_name": "Conv2D", "name": "a/b", "config": {"name": "a/b"}}]
    >>> network = {"config": {"layers": layers, "output_layers": [["a/b", 0, 0]]}}
    >>> without_slashes(network), network["config"]["output_layers"]
    ({'a/b': 'a_b'}, [['a_b', 0, 0]])
    """
    inside = config.get("config")
    whole = inside if isinstance(inside, dict) else {"layers": inside}
    layers = whole.get("layers")
    if not isinstance(layers, list):
        return {}
    entries = [layer for layer in layers if isinstance(layer, dict)]
    for entry in entries:
        without_slashes(entry)
    _rename_itself(config)
    names = [name for entry in entries for name in _names(entry)]
    renamed: dict[str, str] = {}
    for name in dict.fromkeys(names):
        if "/" in name:
            renamed[name] = _free(name, {*names, *renamed.values()})
    for entry in entries:
        for place in (entry, entry.get("config")):
            if isinstance(place, dict) and place.get("name") in renamed:
                place["name"] = renamed[place["name"]]
    ends = [whole.get("input_layers"), whole.get("output_layers")]
    for reference in references([ends, [e.get("inbound_nodes") for e in entries]]):
        reference[0] = renamed.get(reference[0], reference[0])
    return renamed


def references(value: object) -> Iterator[list[Any]]:
    """Yield every list that starts with a name and two numbers."""
    if isinstance(value, dict):
        for one in value.values():
            yield from references(one)
    if isinstance(value, list):
        if [type(one) for one in value[:3]] == [str, int, int]:
            yield value
        for one in value:
            yield from references(one)


def _rename_itself(entry: Json) -> None:
    """Take slashes out of a model's own name, where nothing refers to it."""
    config = entry.get("config")
    name = config.get("name") if isinstance(config, dict) else None
    if isinstance(name, str) and "inbound_nodes" not in entry:
        entry["config"]["name"] = name.replace("/", "_")


def _names(entry: Json) -> list[str]:
    places = (entry, entry.get("config"))
    found = [place.get("name") for place in places if isinstance(place, dict)]
    return [name for name in found if isinstance(name, str)]


def _free(name: str, taken: set[str]) -> str:
    plain = name.replace("/", "_")
    while plain in taken:
        plain += "_"
    return plain
