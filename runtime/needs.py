"""What a site's rules need of the board: skeletons and actions cost time, and are loaded for these
rules alone."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from drivers.board import Board
from drivers.toml_strict import ConfigErrors, Mistake
from runtime.options import Options
from runtime.site import Site
from runtime.site_rules import (
    ImmobileRuleConfig,
    ManDownRuleConfig,
    PostureRuleConfig,
    PpeRuleConfig,
    ViewRuleConfig,
)

ABOUT_BODIES = (ManDownRuleConfig, PostureRuleConfig)
"""Rules that judge skeletons and actions."""
BETTER_WITH_BODIES = (ImmobileRuleConfig,)
"""Rules that judge boxes where the board has no skeletons."""


def needs_bodies(site: Site, board: Board) -> bool:
    """Some rule judges skeletons, or would be better with those that the board has."""
    if any(isinstance(rule, ABOUT_BODIES) for rule in site.rules):
        return True
    has = bool(board.models.skeleton and board.models.action)
    return has and any(isinstance(rule, BETTER_WITH_BODIES) for rule in site.rules)


def needs_looks(site: Site) -> bool:
    """Some rule judges what people wear."""
    return any(isinstance(rule, PpeRuleConfig) for rule in site.rules)


def needs_view(site: Site) -> bool:
    """Some rule judges what the camera sees."""
    return any(isinstance(rule, ViewRuleConfig) for rule in site.rules)


def check_needs(board: Board, site: Site, site_file: str) -> None:
    """Prove that the board has the networks which the site's rules need.

    Raises:
        ConfigErrors: each rule that cannot be judged.
    """
    if board.models.skeleton and board.models.action:
        return
    allowed = "needs models.skeleton and models.action in the board file"
    mistakes = [
        Mistake(site_file, f"rules[{i}].kind", str(rule.__struct_config__.tag), allowed)
        for i, rule in enumerate(site.rules)
        if isinstance(rule, ABOUT_BODIES)
    ]
    if mistakes:
        raise ConfigErrors(mistakes)


def check_actions(site: Site, actions: tuple[str, ...], site_file: str) -> None:
    """Prove that the action network knows what the rules are about.

    Args:
        site: checked.
        actions: the network's classes.
        site_file: for the mistakes.

    Raises:
        ConfigErrors: each action that it does not know.
    """
    known = f"the action network knows {', '.join(actions)}"
    mistakes = [
        Mistake(site_file, f"rules[{i}].actions[{k}]", action, known)
        for i, rule in enumerate(site.rules)
        if isinstance(rule, PostureRuleConfig)
        for k, action in enumerate(rule.actions)
        if action not in actions
    ]
    if mistakes:
        raise ConfigErrors(mistakes)


def check_classes(site: Site, classes: Sequence[str], site_file: str) -> None:
    """Prove that the detector finds the equipment that the rules need.

    Args:
        site: checked.
        classes: of the detector.
        site_file: for the mistakes.

    Raises:
        ConfigErrors: each item that it does not find.
    """
    allowed = f"the board's detector must find it, and finds only {', '.join(classes)}"
    mistakes = [
        Mistake(site_file, f"rules[{i}].needs[{k}]", item, allowed)
        for i, rule in enumerate(site.rules)
        if isinstance(rule, PpeRuleConfig)
        for k, item in enumerate(rule.needs)
        if item not in classes
    ]
    if mistakes:
        raise ConfigErrors(mistakes)


def with_networks(board: Board, options: Options) -> Board:
    """The board with the packages of the command line."""
    models = board.models
    chosen = replace(
        models,
        detector=options.model or models.detector,
        skeleton=options.skeleton or models.skeleton,
        action=options.action or models.action,
    )
    return replace(board, models=chosen)
