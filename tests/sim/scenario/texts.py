"""Scenario files for the stand-in world, as text."""

from __future__ import annotations

ENTRY = """
format = 1
name = "zone entry"
purpose = "A worker walks into the press area and the siren sounds."
seed = 3
duration_ms = 9000

[site]
rules = [{ kind = "zone", zone = "press", severity = "danger", hold_ms = 300 }]

[[world.zones]]
name = "press"
polygon_m = [[0.5, 0.1], [7.5, 0.1], [7.5, 4.0], [0.5, 4.0]]

[[world.people]]
name = "anna"
at_m = [-4.0, 7.0]
script = [{ do = "stand" }]
"""
"""Somebody walks from the left edge at 2 s to the right one at 10 s; a siren near 5.7 s."""

RAISED = """
[[expect]]
that = "event"
zone = "press"
state = "raised"
after = { person = "anna", enters = "press" }
within_ms = 1500
"""
NO_LOSS = """
[[expect]]
that = "no_loss"
"""


def fault(component: str, type_: str, at_ms: int, for_ms: int = 0, options: str = "") -> str:
    """One `[[faults]]` table."""
    return f"""
[[faults]]
at_ms = {at_ms}
for_ms = {for_ms}
component = "{component}"
type = "{type_}"
options = {{ {options} }}
"""


def expect(that: str, rest: str = "") -> str:
    """One `[[expect]]` table."""
    return f"""
[[expect]]
that = "{that}"
{rest}
"""
