"""The weights of a Keras file, copied value by value into a file that holds them and nothing else.

HDF5 is a file system in a file: parts may be links to other files of this machine, to each other in a circle, or stand
under several names; values may be read through a filter that is a library to be loaded, be promised and never written,
or unpack to any size. A Keras file needs none of that. Only groups, plain numbers and short attributes are copied, and
what Keras then opens was written here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .keras_graph import KerasFileError
from .limits import (
    GIB,
    MIB,
    MOST_ATTRIBUTE_BYTES,
    MOST_CONFIG_BYTES,
    MOST_HDF5_DEPTH,
    MOST_HDF5_PARTS,
    MOST_WEIGHT_BYTES,
)
from .reading import plain, shown

if TYPE_CHECKING:
    import h5py

_FILTERS = {1: "gzip", 2: "shuffle", 3: "Fletcher's checksum", 32000: "lzf"}  # those that h5py itself has
_OPTIMIZER = ("optimizer", "optimizer_weights")  # of training; not read
_SLAB = 64 * MIB  # read and checked at a time


def hdf5() -> Any:
    """h5py, which only this step needs."""
    try:
        import h5py
    except ModuleNotFoundError as problem:
        raise KerasFileError("h5py is not installed: pip install -r requirements-keras.txt") from problem
    return h5py


@dataclass
class Weights:
    """What was copied: how many numbers, in how many parts and bytes."""

    values: int = 0
    size: int = 0
    parts: int = 0
    seen: set[tuple[int, Any]] = field(default_factory=set)


def text_attribute(part: h5py.Group, name: str) -> str | None:
    """An attribute that is one text; None where there is none. Raises KerasFileError for any other kind or size."""
    if name not in part.attrs:
        return None
    identity = part.attrs.get_id(name)
    if identity.shape != ():
        raise KerasFileError(f"the file's attribute {shown(name)} is not one text")
    value = part.attrs[name]
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str) or len(value) > MOST_CONFIG_BYTES:
        raise KerasFileError(f"the file's attribute {shown(name)} is no text, or longer than any model's")
    return value


def copy_words(source: h5py.Group, target: h5py.Group, path: str) -> None:
    """Attributes that are texts, numbers or lists of them. Raises KerasFileError for others and for names twice."""
    for name in source.attrs:
        identity = source.attrs.get_id(name)
        if math.prod(identity.shape or ()) * identity.dtype.itemsize > MOST_ATTRIBUTE_BYTES:
            raise KerasFileError(f"the attribute {shown(name)} of {shown(path)} is larger than any model's")
        value = source.attrs[name]
        entries = value.tolist() if isinstance(value, np.ndarray) else [value]
        texts = [entry.decode("utf-8", "replace") if isinstance(entry, bytes) else entry for entry in entries]
        if not all(isinstance(entry, str | int | float | np.number | np.bool_) for entry in texts):
            raise KerasFileError(f"the attribute {shown(name)} of {shown(path)} is neither text nor numbers")
        if name.startswith(("layer_names", "weight_names")) and len(set(texts)) != len(texts):
            twice = next(text for text in texts if texts.count(text) > 1)
            raise KerasFileError(f"{shown(path)} names {shown(twice)} twice: whose weights are whose cannot be told")
        target.attrs[name] = value


def copy_weights(source: h5py.Group, target: h5py.Group, found: Weights, path: str = "", depth: int = 1) -> None:
    """Every group and dataset of `source`, to `target`. Raises KerasFileError."""
    h5py = hdf5()
    if depth > MOST_HDF5_DEPTH:
        raise KerasFileError(f"the file's parts are nested more than {MOST_HDF5_DEPTH} levels deep")
    _note(source, path or "/", found)
    copy_words(source, target, path or "/")
    for name in source:
        here = f"{path}/{name}"
        if depth == 1 and name in _OPTIMIZER:
            continue
        link = source.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise KerasFileError(f"the file's part {shown(here)} is a link to elsewhere, which no model file needs")
        part = source[name]
        if isinstance(part, h5py.Group):
            copy_weights(part, target.create_group(name), found, here, depth + 1)
        elif isinstance(part, h5py.Dataset):
            _note(part, here, found)
            _copy_values(part, target, name, here, found)
        else:
            raise KerasFileError(f"the file's part {shown(here)} is neither a group nor numbers")


def _note(part: Any, path: str, found: Weights) -> None:
    info = hdf5().h5o.get_info(part.id)
    identity = (info.fileno, info.addr)
    if identity in found.seen:
        raise KerasFileError(
            f"the file's part {shown(path)} is another one under a second name, or a circle, which no model file needs"
        )
    found.seen.add(identity)
    found.parts += 1
    if found.parts > MOST_HDF5_PARTS:
        raise KerasFileError(f"the file has more than {MOST_HDF5_PARTS} parts: that is no model for a page")


def _copy_values(part: h5py.Dataset, target: h5py.Group, name: str, path: str, found: Weights) -> None:
    if part.external or part.is_virtual:
        raise KerasFileError(f"the values of {shown(path)} stand in another file, which no model file needs")
    if part.shape is None or part.dtype.kind not in "fiub" or part.dtype.subdtype is not None:
        raise KerasFileError(f"the values of {shown(path)} are no plain numbers")
    filters = part.id.get_create_plist()
    codes = [filters.get_filter(k)[0] for k in range(filters.get_nfilters())]
    if unknown := [code for code in codes if code not in _FILTERS]:
        raise KerasFileError(f"the values of {shown(path)} are packed by the filter {unknown[0]}, which is not loaded")
    found.values += part.size
    found.size += part.size * part.dtype.itemsize
    if found.size > MOST_WEIGHT_BYTES:
        raise KerasFileError(
            f"the model's weights would unpack to more than {MOST_WEIGHT_BYTES / GIB:.3g} GiB ({shown(path)} has the"
            f" shape {plain(part.shape, 100)}): that is no model for a page"
        )
    stored = part.id.get_storage_size()
    if stored < part.size * part.dtype.itemsize and (not codes or stored == 0):
        raise KerasFileError(f"the values of {shown(path)} are missing or cut short: save the model again")
    copy = target.create_dataset(name, shape=part.shape, dtype=part.dtype)
    for rows in _slabs(part):
        values = part[rows]
        if part.dtype.kind == "f" and not np.isfinite(values).all():
            raise KerasFileError(
                f"the weights {shown(path)} hold numbers that are not finite (NaN or infinite): the training diverged;"
                " take an earlier checkpoint"
            )
        copy[rows] = values


def _slabs(part: h5py.Dataset) -> list[Any]:
    """Slices along the first axis, none much larger than _SLAB."""
    if not part.shape or part.size == 0:
        return [()] if part.size else []
    row = max(1, part.size // part.shape[0] * part.dtype.itemsize)
    step = max(1, _SLAB // row)
    return [slice(at, min(at + step, part.shape[0])) for at in range(0, part.shape[0], step)]


@contextmanager
def hdf5_read(what: str) -> Iterator[None]:
    """h5py raises every kind on a damaged file, wherever it meets the damage: a KerasFileError that begins with `what`
    comes of it.
    """
    try:
        yield
    except (KerasFileError, MemoryError):
        raise
    except Exception as problem:
        raise KerasFileError(f"{what} damaged: {plain(problem, 200)}") from problem


def unpack_weights(source: Path, target: Path) -> Weights:
    """The weights file inside a .keras file, copied. Raises KerasFileError."""
    found = Weights()
    with hdf5_read("the model's weights are"), hdf5().File(source, "r") as given, hdf5().File(target, "w") as copy:
        copy_weights(given, copy, found)
    return found
