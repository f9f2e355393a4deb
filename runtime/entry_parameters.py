"""The fitted weights of entry prediction, read from the table that `runtime.entry_fit` writes."""

from __future__ import annotations

from pathlib import Path

import msgspec

FOLDER = Path(__file__).parent / "entry_models"
DEFAULT = "both"
"""Fitted on every set; a test of one set takes the model that was fitted on the other."""


class Layers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Weights of two layers: w1[hidden][inputs], w2[outputs][hidden], b2[outputs].

    The last input is always 1: its weights are the first layer's offsets.
    """

    w1: list[list[float]]
    w2: list[list[float]]
    b2: list[float]


class EntryParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One fitted model.

    Attributes:
        source: which data it was fitted on, and how.
        decide: probability from which an entry is predicted.
        track: network from a path to where it leads.
        entry: network from rays to the odds of an entry.
    """

    source: str
    decide: float
    track: Layers
    entry: Layers


class UnknownModel(Exception):
    """No model has this name; the message says which there are."""


def model_names() -> list[str]:
    """Names that `load_parameters` takes."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def load_parameters(name: str = DEFAULT) -> EntryParameters:
    """A fitted model by its name.

    Raises:
        UnknownModel: there is none of this name.
    """
    if name not in model_names():
        raise UnknownModel(f"--model {name}: must be one of {', '.join(model_names())}")
    return msgspec.json.decode((FOLDER / f"{name}.json").read_bytes(), type=EntryParameters)
