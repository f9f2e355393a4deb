"""Plain tables as TOML: the standard library only reads it, and a scenario needs no more."""

from __future__ import annotations

import json
from typing import Any


def document(table: dict[str, Any]) -> str:
    """A table of values, tables, and lists of tables at any depth.

    Args:
        table: keys that need no quotes; strings, numbers, booleans, lists and tables.
    """
    return "\n".join(_lines(table, "")).lstrip("\n") + "\n"


def _lines(table: dict[str, Any], path: str) -> list[str]:
    plain = {k: v for k, v in table.items() if not _is_table(v) and not _is_tables(v)}
    lines = [f"{key} = {_value(value)}" for key, value in plain.items()]
    for key, value in table.items():
        name = f"{path}.{key}" if path else key
        if _is_table(value):
            lines += ["", f"[{name}]", *_lines(value, name)]
        elif _is_tables(value):
            for each in value:
                lines += ["", f"[[{name}]]", *_lines(each, name)]
    return lines


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) and any(isinstance(v, (dict, list)) for v in value.values())


def _is_tables(value: Any) -> bool:
    """A list of tables with depth; flat ones are written in one line each."""
    return isinstance(value, list) and any(_is_table(each) for each in value)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return repr(value)
