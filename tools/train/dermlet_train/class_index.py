"""Class names in index order, from JSON or from a pickle that is read without being executed.

A pickle is a program: loading it with `pickle` runs whatever its author wrote. Here its opcodes are walked one by one
(`pickletools.genops`, which only decodes) by a machine that knows plain data and numpy scalars. It imports nothing and
calls nothing; what else it meets is reported by name and refused.
"""

from __future__ import annotations

import json
import pickletools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .limits import MOST_CLASS_INDEX_BYTES, MOST_CLASSES, MOST_NAME
from .reading import KeyTwice, Told, no_key_twice, plain, read_bytes, shown


class ClassIndexError(Told, ValueError):
    """The file is not a class index; the message is for the user."""


def read_class_names(path: Path) -> list[str]:
    """Names in index order from `{name: index}`, `{index: name}` or a list, as .json or pickle (any other suffix).
    Raises ClassIndexError, OSError (FileRefused: no regular file, or larger than any class index).
    """
    data = read_bytes(path, MOST_CLASS_INDEX_BYTES)
    if path.suffix.lower() != ".json":
        return names_in_order(read_pickle(data))
    try:
        return names_in_order(json.loads(data, object_pairs_hook=no_key_twice))
    except ClassIndexError:
        raise
    except KeyTwice as problem:
        raise ClassIndexError(f"{path.name}: {problem}") from problem
    except RecursionError as problem:
        raise ClassIndexError(f"{path.name} is nested too deeply for a class index") from problem
    except ValueError as problem:
        raise ClassIndexError(f"{path.name} is not JSON: {plain(problem, 200)}") from problem


def names_in_order(value: object) -> list[str]:
    """The three shapes -> names in index order. Raises ClassIndexError when the indices are not 0..K-1, once each, or a
    name is empty or twice.
    """
    if isinstance(value, list | tuple | dict) and len(value) > MOST_CLASSES:
        raise ClassIndexError(f"the class index names {len(value)} classes; at most {MOST_CLASSES} are read")
    if isinstance(value, list | tuple):
        names = [_text(entry) for entry in value]
    elif isinstance(value, dict) and value:
        if all(_whole(index) is not None for index in value.values()) and all(
            isinstance(name, str | bytes) for name in value
        ):
            pairs = [(_whole(index), _text(name)) for name, index in value.items()]
        elif all(_whole(index, digits=True) is not None for index in value):
            pairs = [(_whole(index, digits=True), _text(name)) for index, name in value.items()]
        else:
            raise ClassIndexError("a class index must be {name: index}, {index: name} or a list of names")
        pairs.sort(key=lambda pair: pair[0] or 0)
        if [index for index, _ in pairs] != list(range(len(pairs))):
            raise ClassIndexError(
                f"the class indices must be 0 to {len(pairs) - 1}, once each, but are"
                f" {plain(', '.join(shown(index) for index, _ in pairs), 200)}"
            )
        names = [name for _, name in pairs]
    else:
        raise ClassIndexError(
            f"a class index must be a mapping or a list that is not empty, not {type(value).__name__}"
        )
    if len(names) < 2:
        raise ClassIndexError("a class index must name at least two classes")
    if len(set(names)) != len(names):
        raise ClassIndexError(f"the class index names {shown(next(n for n in names if names.count(n) > 1))} twice")
    return names


def _text(value: object) -> str:
    # Its length first: one long text may stand in the file once and be named a thousand times.
    if isinstance(value, str | bytes) and len(value) > 4 * MOST_NAME:
        raise ClassIndexError(f"a class name has more than {MOST_NAME} characters: {shown(value)}")
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str) or not value.strip():
        raise ClassIndexError(f"a class name must be text, not {shown(value)}")
    if len(value.strip()) > MOST_NAME:
        raise ClassIndexError(f"a class name has more than {MOST_NAME} characters: {shown(value)}")
    try:
        value.encode()
    except UnicodeEncodeError as problem:
        raise ClassIndexError(f"a class name is not text that can be written: {shown(value)}") from problem
    return value.strip()


def _whole(value: object, *, digits: bool = False) -> int | None:
    """The whole number that a value is: 3, 3.0 and, where `digits`, "3"; else None."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if digits and isinstance(value, str) and re.fullmatch(r"\s*\d{1,9}\s*", value):
        return int(value)
    return None


@dataclass(frozen=True)
class _Named:
    """A name that the pickle would import; here it stays a name."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass
class _Dtype:
    """numpy.dtype('i8') as data; BUILD adds the byte order."""

    code: str
    order: str = "="


class _Inert:
    """What a refused call would have given."""


_SCALARS = {_Named("numpy.core.multiarray", "scalar"), _Named("numpy._core.multiarray", "scalar")}
_DTYPE = _Named("numpy", "dtype")
_ENCODE = _Named("_codecs", "encode")  # how protocols 0 to 2 write bytes
_DTYPE_CODE = re.compile(r"[<>|=]?(?:[iu][1248]|f[248]|b1|[SU]\d{1,6})")

# Opcodes whose decoded argument is the value.
_VALUES = frozenset(
    "INT LONG LONG1 LONG4 BININT BININT1 BININT2 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE"
    " SHORT_BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8".split()
)
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_NOTHING = frozenset(("PROTO", "FRAME"))
_MOST_NAMED = 12  # of what a refused pickle asks for


class _Machine:
    """The pickle machine without imports and calls."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.refused: list[str] = []
        self.made = 0  # bytes that calls have made so far

    def since_mark(self) -> list[Any]:
        at = self.marks.pop()
        popped = self.stack[at:]
        del self.stack[at:]
        return popped

    def refuse(self, what: str) -> None:
        if len(self.refused) < _MOST_NAMED and (what := plain(what, 100)) not in self.refused:
            self.refused.append(what)

    def making(self, size: int) -> None:
        """Before a call makes data: a text that stands in the file once may be the argument of ever so many."""
        self.made += size
        if self.made > MOST_CLASS_INDEX_BYTES:
            raise ClassIndexError("the pickle would unpack to more than any class index has")

    def step(self, name: str, argument: Any) -> None:
        stack = self.stack
        if name in _VALUES:
            if isinstance(argument, int) and argument.bit_length() > 64:
                raise ClassIndexError("the pickle holds a number of many digits: that is no class index")
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            stack.append(_EMPTY[name]())
        elif name in _TUPLES:
            count = _TUPLES[name]
            stack[-count:] = [tuple(stack[-count:])]
        elif name == "MARK":
            self.marks.append(len(stack))
        elif name == "TUPLE":
            stack.append(tuple(self.since_mark()))
        elif name == "LIST":
            stack.append(self.since_mark())
        elif name == "DICT":
            stack.append(self._filled({}, self.since_mark()))
        elif name == "APPEND":
            value = stack.pop()
            self._extend(stack[-1], [value])
        elif name == "APPENDS":
            values = self.since_mark()
            self._extend(stack[-1], values)
        elif name == "SETITEM":
            pair = [stack.pop(-2), stack.pop()]
            self._filled(stack[-1], pair)
        elif name == "SETITEMS":
            pairs = self.since_mark()
            self._filled(stack[-1], pairs)
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self.memo[int(argument)] = stack[-1]
        elif name == "MEMOIZE":
            self.memo[len(self.memo)] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(self.memo[int(argument)])
        elif name == "POP":
            stack.pop()
        elif name == "POP_MARK":
            self.since_mark()
        elif name == "DUP":
            stack.append(stack[-1])
        elif name == "GLOBAL":
            stack.append(self._named(*argument.split(" ", 1)))
        elif name == "STACK_GLOBAL":
            module, attribute = stack[-2:]
            if not isinstance(module, str) or not isinstance(attribute, str):
                raise ClassIndexError("the pickle cannot be read: it names something by what is no text")
            stack[-2:] = [self._named(module, attribute)]
        elif name == "REDUCE":
            stack[-2:] = [self._called(*stack[-2:])]
        elif name == "BUILD":
            state = stack.pop()
            self._built(stack[-1], state)
        elif name in ("INST", "OBJ", "NEWOBJ", "NEWOBJ_EX"):
            self._object(name, argument)
        elif name not in _NOTHING:
            self.refuse(f"the opcode {name}")
            stack.append(_Inert())

    def _named(self, module: str, name: str) -> _Named:
        if len(module) + len(name) > 2 * MOST_NAME:
            raise ClassIndexError(f"the pickle asks for what has an endless name: {shown(name)}")
        named = _Named(module, name)
        if named not in _SCALARS and named not in (_DTYPE, _ENCODE):
            self.refuse(str(named))
        return named

    def _object(self, name: str, argument: Any) -> None:
        """An object's making: its class, if it stands on the stack, was refused where it was named."""
        if name == "INST":
            self.since_mark()
            self._named(*argument.split(" ", 1))
        elif name == "OBJ":
            self.since_mark()
        else:
            del self.stack[-2 if name == "NEWOBJ" else -3 :]
        self.refuse("an object")
        self.stack.append(_Inert())

    def _extend(self, target: Any, values: list[Any]) -> None:
        if isinstance(target, list):
            target.extend(values)
        else:
            self.refuse("a list that is none")

    def _filled(self, target: Any, flat: list[Any]) -> Any:
        if not isinstance(target, dict) or len(flat) % 2:
            self.refuse("a dictionary that is none")
            return target
        for key, value in zip(flat[::2], flat[1::2], strict=True):
            if not isinstance(key, str | bytes | int | float | type(None)):
                self.refuse(f"a key of type {type(key).__name__}")
            elif key in target:
                raise ClassIndexError(f"the class index names the key {shown(key)} twice")
            else:
                target[key] = value
        return target

    def _called(self, function: Any, arguments: Any) -> Any:
        """The three calls that only mean data; any other gives an inert object, and its name was refused already."""
        match function, arguments:
            case _Named() as named, (_Dtype() as dtype, bytes() as raw) if named in _SCALARS:
                self.making(len(raw))
                return _scalar(dtype, raw)
            case _Named() as named, (str() as code, *_) if named == _DTYPE and _DTYPE_CODE.fullmatch(code):
                return _Dtype(code)
            case _Named() as named, (str() as text, "latin1") if named == _ENCODE:
                self.making(len(text))
                return text.encode("latin-1")
        self.refuse(f"a call of {function}" if isinstance(function, _Named) else "a call of what is no function")
        return _Inert()

    def _built(self, target: Any, state: Any) -> None:
        if (
            isinstance(target, _Dtype)
            and isinstance(state, tuple)
            and len(state) > 1
            and state[1] in ("<", ">", "|", "=")
        ):
            target.order = state[1]
        else:
            self.refuse("an object's state")


def _scalar(dtype: _Dtype, raw: bytes) -> object:
    kind = np.dtype(dtype.order + dtype.code.lstrip("<>|="))
    if kind.itemsize != len(raw):
        raise ClassIndexError("the pickle holds a numpy scalar of a wrong length")
    return np.frombuffer(raw, kind)[0].item()


def read_pickle(data: bytes) -> object:
    """Plain data from a pickle: dict, list, tuple, str, bytes, int, float, bool, None, numpy scalars. Nothing in it is
    executed.

    Raises ClassIndexError that names what else was found (the first twelve), or says what is broken. Time and memory
    grow with the length of `data` alone. Parts of the result may be shared: its text may be exponentially long.
    """
    machine = _Machine()
    try:
        for opcode, argument, _ in pickletools.genops(data):
            if opcode.name != "STOP":
                machine.step(opcode.name, argument)
    except ClassIndexError:
        raise
    except Exception as problem:  # any opcode may be cut off, lack its operands or carry nonsense
        if not machine.refused:
            why = plain(problem, 200) or type(problem).__name__
            raise ClassIndexError(f"the pickle cannot be read: {why}") from problem
    if machine.refused:
        raise ClassIndexError(
            f"the pickle holds more than plain data and was not loaded; it asks for: {', '.join(machine.refused)}"
        )
    if len(machine.stack) != 1:
        raise ClassIndexError("the pickle cannot be read: it does not end with one value")
    return machine.stack[0]
