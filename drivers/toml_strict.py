"""Read a TOML file into a msgspec.Struct, and report every mistake in it at once.

`load_strict` walks the file beside the struct type. What is wrong becomes a `Mistake` that names
file, key, value and what is allowed; all of them are raised together as `ConfigErrors`. A `Check`
adds rules between values; it runs wherever the values that it needs are free of mistakes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple, TypeVar, cast, get_args, get_origin

import msgspec
from msgspec import UNSET, Struct, inspect, structs

from drivers import toml_words as words

T = TypeVar("T", bound=Struct)
Complaint = tuple[str, object, str]
"""Key, value (UNSET: none) and what is allowed: what a check yields."""

_BAD: Final = object()


class Mistake(NamedTuple):
    """One wrong value: where it stands, and what may stand there."""

    file: str
    key: str
    value: object
    allowed: str

    def __str__(self) -> str:
        value = "" if self.value is UNSET else f" = {words.short(self.value)}"
        return ": ".join(part for part in (self.file, self.key + value, self.allowed) if part)


class ConfigErrors(Exception):
    """Everything that is wrong with a configuration file.

    Attributes:
        mistakes: at least one, in the order of the file's type, then of the checks.
    """

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = list(mistakes)


class Check(NamedTuple):
    """A rule between values.

    Attributes:
        needs: keys such as "camera", or patterns with `[]` for any index. The check is skipped when
            a needed value is wrong; a pattern that ends in `[]` gives only the good items instead.
        run: takes one argument per need (the value, or {key: value} for a pattern).
    """

    needs: tuple[str, ...]
    run: Callable[..., Iterable[Complaint]]


def load_strict(path: str | Path, kind: type[T], checks: Sequence[Check] = ()) -> T:
    """Load a TOML file as `kind`.

    An integer key `format` above what `kind` allows is reported alone: a newer runtime is needed.

    Raises:
        ConfigErrors: the file is missing, is not TOML, or has mistakes; it holds all of them.
    """
    file = str(path)
    raw = words.read_table(Path(path))
    if isinstance(raw, str):
        raise ConfigErrors([Mistake(file, "", UNSET, raw)])
    return check_strict(file, raw, kind, checks)


def check_strict(file: str, raw: dict[str, Any], kind: type[T], checks: Sequence[Check] = ()) -> T:
    """As `load_strict`, for a table that has been read or made already; `file` names it.

    Raises:
        ConfigErrors: all mistakes.
    """
    newest = words.newest_format(kind)
    if newest and type(raw.get("format")) is int and raw["format"] > newest:
        allowed = f"this runtime reads format {newest}; the file needs a newer runtime"
        raise ConfigErrors([Mistake(file, "format", raw["format"], allowed)])
    walk = _Walk()
    walk.node("", raw, kind)
    for check in checks:
        needs = [walk.select(need) for need in check.needs]
        if not any(need is _BAD for need in needs):
            walk.complaints.extend(check.run(*needs))
    if walk.complaints:
        raise ConfigErrors([Mistake(file, *complaint) for complaint in walk.complaints])
    return cast(T, walk.values[""])


class _Walk:
    """The way through a file and its type: typed values by key (or _BAD), and what is wrong."""

    def __init__(self) -> None:
        self.complaints: list[Complaint] = []
        self.values: dict[str, Any] = {}

    def select(self, need: str) -> Any:
        """The value of a key, or {key: value} of a pattern; _BAD when a check cannot use it."""
        if "[]" not in need:
            return self.values.get(need, _BAD)
        pattern = re.compile(re.escape(need).replace(r"\[\]", r"\[\d+\]"))
        found = {key: value for key, value in self.values.items() if pattern.fullmatch(key)}
        if not found and self.values.get(need.partition("[]")[0], _BAD) is _BAD:
            return _BAD
        if need.endswith("[]"):
            return {key: value for key, value in found.items() if value is not _BAD}
        return _BAD if any(value is _BAD for value in found.values()) else found

    def node(self, key: str, raw: Any, annotation: Any) -> Any:
        """Check one value of any type; returns it typed, or _BAD."""
        before = len(self.complaints)
        value = self._convert(key, raw, annotation)
        is_good = value is not _BAD and len(self.complaints) == before
        if get_origin(annotation) is Annotated and is_good:
            self._leaf(key, raw, annotation, inspect.type_info(annotation))  # lengths of lists
        self.values[key] = _BAD if len(self.complaints) > before else value
        return self.values[key]

    def _convert(self, key: str, raw: Any, annotation: Any) -> Any:
        plain = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
        kind, args = inspect.type_info(annotation), get_args(plain) or (Any, Any)
        match kind:
            case inspect.StructType():
                return self._struct(key, raw, kind.cls)
            case inspect.UnionType() if any(isinstance(t, inspect.StructType) for t in kind.types):
                return self._union(key, raw, kind.types)
            case inspect.ListType() if isinstance(raw, list):
                return [self.node(f"{key}[{i}]", item, args[0]) for i, item in enumerate(raw)]
            case inspect.TupleType() if isinstance(raw, list) and len(raw) == len(kind.item_types):
                items = zip(raw, args, strict=True)
                return tuple(self.node(f"{key}[{i}]", *item) for i, item in enumerate(items))
            case inspect.DictType() if isinstance(raw, dict):
                for name in raw:
                    self._leaf(words.join(key, name), name, args[0], kind.key_type)
                return {name: self.node(words.join(key, name), raw[name], args[1]) for name in raw}
        return self._leaf(key, raw, annotation, kind)

    def _leaf(self, key: str, raw: Any, annotation: Any, kind: inspect.Type) -> Any:
        try:
            value = msgspec.convert(raw, annotation)
        except (msgspec.ValidationError, OverflowError) as error:
            self.complaints.append((key, raw, words.allowed(kind, raw) or str(error)))
            return _BAD
        if not words.finite(raw):
            self.complaints.append((key, raw, "must be finite, and within 64 bits"))
            return _BAD
        return value

    def _struct(self, key: str, raw: Any, cls: type[Struct]) -> Any:
        fields = {field.encode_name: field for field in structs.fields(cls)}
        if not isinstance(raw, dict):
            self.complaints.append((key, raw, f"must be a table with {', '.join(fields)}"))
            return _BAD
        before = len(self.complaints)
        for name in raw:
            if name not in fields and name != cls.__struct_config__.tag_field:
                self.complaints.append(
                    (words.join(key, name), raw[name], words.unknown_key(name, fields))
                )
        built = {f.name: self._field(words.join(key, n), raw, n, f) for n, f in fields.items()}
        if len(self.complaints) > before:
            return _BAD
        try:
            return cls(**built)
        except (ValueError, TypeError) as error:  # from the type's own __post_init__
            self.complaints.append((key, raw, str(error)))
            return _BAD

    def _field(self, key: str, raw: dict[str, Any], name: str, field: structs.FieldInfo) -> Any:
        if name in raw:
            return self.node(key, raw[name], field.type)
        self.values[key] = _BAD
        if field.required:
            text = words.allowed(inspect.type_info(field.type), None)
            self.complaints.append((key, UNSET, f"is missing; {text}"))
        else:
            made = field.default_factory is not msgspec.NODEFAULT
            self.values[key] = field.default_factory() if made else field.default
        return self.values[key]

    def _union(self, key: str, raw: Any, kinds: Sequence[inspect.Type]) -> Any:
        """One of several tables, told apart by their tag key (such as `kind`)."""
        by_tag = {t.tag: t for t in kinds if isinstance(t, inspect.StructType)}
        first = next(iter(by_tag.values()))
        field = first.tag_field
        if field is None:  # one table, or nothing
            return self._struct(key, raw, first.cls)
        tag = raw.get(field, UNSET) if isinstance(raw, dict) else raw
        if isinstance(raw, dict) and isinstance(tag, (str, int)) and tag in by_tag:
            return self._struct(key, raw, by_tag[tag].cls)
        missing = "is missing; " if tag is UNSET else ""
        self.complaints.append((words.join(key, field), tag, missing + words.one_of(by_tag)))
        return _BAD
