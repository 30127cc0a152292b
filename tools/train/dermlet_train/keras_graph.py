"""What a Keras model's description asks for, held against the limits before Keras builds anything of it: its depth, the
numbers of its layers, names that stand twice, and calls that wait for each other, which Keras would try to order for
ever.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

from .limits import LAYER_NUMBERS, MOST_CONFIG_DEPTH, MOST_LAYERS
from .reading import Told, shown

Call = tuple[str, int]  # a layer's name and which of its calls


class KerasFileError(Told, ValueError):
    """The file cannot be imported; the message is for the user."""


def check_tree(config: object) -> None:
    """Raises KerasFileError for a description that nests too deeply, or holds a number that is none or has many digits.
    Without recursion: everything after it may use it.
    """
    stack: list[tuple[object, int]] = [(config, 1)]
    while stack:
        value, depth = stack.pop()
        if depth > MOST_CONFIG_DEPTH:
            raise KerasFileError(f"the model's description is nested more than {MOST_CONFIG_DEPTH} levels deep")
        if isinstance(value, dict):
            stack.extend((part, depth + 1) for part in value.values())
        elif isinstance(value, list):
            stack.extend((part, depth + 1) for part in value)
        elif (isinstance(value, float) and not math.isfinite(value)) or (
            isinstance(value, int) and value.bit_length() > 64
        ):
            raise KerasFileError("the model's description holds a number that is not finite or has many digits")


def check_graph(objects: list[dict[str, Any]]) -> None:
    """`objects`: everything of a description that names a class. Raises KerasFileError."""
    if len(objects) > 20 * MOST_LAYERS:
        raise KerasFileError(f"the model's description holds {len(objects)} objects: that is no model for a page")
    for entry in objects:
        inner = entry.get("config")
        if not isinstance(inner, dict):
            continue
        _check_numbers(entry["class_name"], inner)
        layers = inner.get("layers")
        if isinstance(layers, list):
            named = [(_name(layer), layer) for layer in layers if isinstance(layer, dict)]
            _check_names(named, inner)
            if entry["class_name"] != "Sequential":
                _check_calls(named, inner)


def _name(layer: dict[str, Any]) -> str:
    inner = layer.get("config")
    name = layer.get("name") or (inner.get("name") if isinstance(inner, dict) else None)
    return name if isinstance(name, str) else ""


def _check_numbers(kind: str, inner: dict[str, Any]) -> None:
    for key, (least, most) in LAYER_NUMBERS.items():
        for value in _leaves(inner.get(key)):
            if value is None or isinstance(value, str):
                continue
            if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
                raise KerasFileError(
                    f"the layer {shown(inner.get('name', '?'))} ({shown(kind)}) has {key} {shown(value)}; whole numbers"
                    f" from {least} to {most} are read"
                )


def _leaves(value: object) -> Iterator[object]:
    if isinstance(value, list):
        for part in value:
            yield from _leaves(part)
    else:
        yield value


def _check_names(named: list[tuple[str, dict[str, Any]]], inner: dict[str, Any]) -> None:
    if len(named) > MOST_LAYERS:
        raise KerasFileError(f"the model has {len(named)} layers; at most {MOST_LAYERS} are read")
    seen: set[str] = set()
    for name, _ in named:
        if name and name in seen:
            raise KerasFileError(
                f"two layers of {shown(inner.get('name', 'the model'))} are called {shown(name)}: whose weights are"
                " whose cannot be told"
            )
        seen.add(name)


def _check_calls(named: list[tuple[str, dict[str, Any]]], inner: dict[str, Any]) -> None:
    """Every call of a layer must follow from calls that are there and need not wait for it."""
    calls = {
        name: max(1, len(nodes)) if isinstance(nodes := layer.get("inbound_nodes"), list) else 1
        for name, layer in named
    }
    waits: TopologicalSorter[Call] = TopologicalSorter()
    for name, layer in named:
        nodes = layer.get("inbound_nodes")
        for index, node in enumerate(nodes if isinstance(nodes, list) else []):
            for other, call in _references(node, calls):
                if not 0 <= call < calls[other]:
                    raise KerasFileError(
                        f"the layer {shown(name)} takes what call {call} of {shown(other)} gives, which has"
                        f" {calls[other]}"
                    )
                waits.add((name, index), (other, call))
    try:
        waits.prepare()
    except CycleError as problem:
        circle = list(dict.fromkeys(shown(name) for name, _ in problem.args[1]))
        raise KerasFileError(
            f"the layers of {shown(inner.get('name', 'the model'))} wait for each other in a circle:"
            f" {', '.join(circle[:6])}{' ...' if len(circle) > 6 else ''}"
        ) from problem


def _references(node: object, calls: dict[str, int]) -> Iterator[Call]:
    """`[layer, call, output, ...]` wherever it stands: Keras 2's wiring, and the history in Keras 3's tensors."""
    stack = [node]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            stack.extend(value.values())
        elif isinstance(value, list):
            if len(value) >= 3 and isinstance(value[0], str) and value[0] in calls and isinstance(value[1], int):
                yield value[0], value[1]
            stack.extend(part for part in value if isinstance(part, dict | list))


def widest_layer(objects: list[dict[str, Any]]) -> tuple[int, str]:
    """The most units or filters of a layer, which has at least as many weights, and its name."""
    widest = (0, "")
    for entry in objects:
        inner = entry.get("config")
        if isinstance(inner, dict):
            for key in ("units", "filters"):
                if isinstance(inner.get(key), int) and inner[key] > widest[0]:
                    widest = (inner[key], str(inner.get("name", "?")))
    return widest
