"""What `toml_strict` reads, how it names keys and how it says what a value may be."""

from __future__ import annotations

import difflib
import json
import math
import re
import reprlib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from msgspec import Struct, inspect, structs

MAX_FILE_BYTES = 1 << 20
"""A configuration file is a few kB."""
_NOUNS: dict[type[inspect.Type], str] = {
    inspect.IntType: "a whole number",
    inspect.FloatType: "a number",
    inspect.StrType: "text in quotes",
    inspect.BoolType: "true or false",
    inspect.ListType: "a list",
    inspect.DictType: "a table",
    inspect.UnionType: "a table",
}
_LIMITS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<=", "multiple_of": "a multiple of"}
_LIMITS |= {"min_length": "at least this long:", "max_length": "at most this long:"}
_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = 60


def read_table(path: Path) -> dict[str, Any] | str:
    """The parsed file, or what is wrong with it as a whole."""
    try:
        if path.is_dir() or (path.exists() and not path.is_file()):
            return "is a directory or a device, not a file"
        if path.stat().st_size > MAX_FILE_BYTES:
            return f"is larger than {MAX_FILE_BYTES} bytes: not a configuration file"
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        return "there is no such file"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    except RecursionError:
        return "is nested too deeply"
    except UnicodeDecodeError as error:
        return f"is not UTF-8 text (byte {error.start})"
    except ValueError as error:
        return f"is not TOML: {error}"


def short(value: object) -> str:
    """The value in at most about a line."""
    return json.dumps(value) if isinstance(value, bool) else _REPR.repr(value)


def join(key: str, name: object) -> str:
    """Key of `name` in the table `key`, written as TOML would."""
    plain = re.fullmatch(r"[A-Za-z0-9_-]+", str(name))
    return (f"{key}." if key else "") + (str(name) if plain else json.dumps(str(name)))


def unknown_key(name: str, known: Iterable[str]) -> str:
    """What to say about a key that does not exist."""
    names = list(known)
    close = difflib.get_close_matches(name.lower(), names, n=1)
    hint = f"did you mean {close[0]}?" if close else f"allowed are {', '.join(names) or 'none'}"
    return f"unknown key; {hint}"


def one_of(values: Iterable[object]) -> str:
    """`must be "a" or "b"`."""
    return "must be " + " or ".join(json.dumps(value) for value in values)


def allowed(kind: inspect.Type, value: object) -> str:
    """What a value of this type may be; the noun is left out where only the range is wrong."""
    match kind:
        case inspect.Metadata():
            return allowed(kind.type, value)
        case inspect.LiteralType():
            return one_of(kind.values)
        case inspect.StructType():
            return "must be a table with " + ", ".join(f.encode_name for f in kind.fields)
        case inspect.TupleType():
            return f"must be a list of {len(kind.item_types)} values"
        case inspect.StrType(min_length=1, max_length=None):
            return "must be text in quotes, not empty"
        case inspect.StrType(pattern=str()):
            return f"must be text in quotes of the pattern {kind.pattern}"
        case inspect.UnionType() if len(kinds := _but_none(kind)) == 1:
            return allowed(kinds[0], value)
    limits = [
        f"{sign} {limit}"
        for name, sign in _LIMITS.items()
        if (limit := getattr(kind, name, None)) is not None
    ]
    noun = "" if limits and _right_type(kind, value) else _NOUNS.get(type(kind), "of another type")
    return f"must be {noun} {' and '.join(limits)}".replace("  ", " ").rstrip()


def _but_none(kind: inspect.UnionType) -> list[inspect.Type]:
    """What an optional value is when it is there."""
    return [each for each in kind.types if not isinstance(each, inspect.NoneType)]


def newest_format(kind: type[Struct]) -> int | None:
    """The highest number that the type's field `format` allows, if it has one."""
    for field in structs.fields(kind):
        if field.encode_name == "format" and get_origin(field.type) is Literal:
            return max((v for v in get_args(field.type) if isinstance(v, int)), default=None)
    return None


def _right_type(kind: inspect.Type, value: object) -> bool:
    match kind:
        case inspect.IntType():
            return type(value) is int
        case inspect.FloatType():
            return type(value) in (int, float) and finite(value)
        case inspect.StrType():
            return isinstance(value, str)
        case inspect.ListType():
            return isinstance(value, list)
    return False


def finite(value: Any) -> bool:
    """False when the value is, or holds, inf, nan or a whole number beyond 64 bits."""
    match value:
        case int():
            return -(1 << 63) <= value < 1 << 63
        case float():
            return math.isfinite(value)
        case list():
            return all(map(finite, value))
        case dict():
            return all(map(finite, value.values()))
    return True
