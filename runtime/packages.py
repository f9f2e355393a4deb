"""A student set: the packages that a camera sees by, verified and not yet loaded."""

from __future__ import annotations

from typing import NamedTuple

from drivers.board import ModelsConfig
from models.package import Package, find_package, load_package


class Packages(NamedTuple):
    """No skeleton and action where no rule asks for them."""

    detector: Package
    skeleton: Package | None = None
    action: Package | None = None


def factory_packages(models: ModelsConfig, target: str, with_bodies: bool) -> Packages:
    """The students that the board file names. Raises ModelRefused."""
    detector = load_package(find_package(models.detector), target)
    if not with_bodies:
        return Packages(detector)
    skeleton, action = (
        load_package(find_package(name), target) for name in (models.skeleton, models.action)
    )
    return Packages(detector, skeleton, action)
