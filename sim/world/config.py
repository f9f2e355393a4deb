"""The world as data: what a scenario file says under `[world]`, and what a random world is made of.

Every struct refuses unknown keys. Positions are (x, y) on the ground in metres, times are ms since
the scenario began, angles are degrees: a heading of 0 looks along +y (away from the camera), 90
along +x (to its right).
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Share = Annotated[float, Meta(ge=0, le=1)]
PositiveFloat = Annotated[float, Meta(gt=0)]
NonNegativeInt = Annotated[int, Meta(ge=0)]
PositiveInt = Annotated[int, Meta(ge=1)]
Metres = Annotated[float, Meta(ge=-200, le=200)]
Point = tuple[Metres, Metres]
Size = tuple[PositiveFloat, PositiveFloat, PositiveFloat]
Name = Annotated[str, Meta(min_length=1, max_length=40)]
Colour = Annotated[str, Meta(pattern=r"^(#[0-9a-fA-F]{6})?$")]
"""`#rrggbb`; empty: chosen by the seed."""

Action = Literal[
    "stand", "walk", "run", "bend", "squat", "sit", "climb", "fall", "lie", "crawl",
    "arms_raised", "work",
]  # fmt: skip
"""What a person is seen to do: the classes of the action student."""
Doing = Literal[
    "stand", "walk", "run", "bend", "squat", "sit", "climb", "fall", "lie", "crawl",
    "arms_raised", "work", "tie_shoes", "wave", "get_up", "climb_down",
    "helmet_on", "helmet_off", "vest_on", "vest_off",
]  # fmt: skip
"""What a step of a script may ask for."""
GroundKind = Literal["concrete", "dirt", "gravel", "asphalt"]
StructureKind = Literal[
    "building", "wall", "pillar", "scaffold", "ladder", "container", "fence", "barrier", "cone",
    "barrel", "pallets", "pipes", "crate", "bench", "sand_heap", "rebar", "site_hut",
]  # fmt: skip
MachineKind = Literal["excavator", "forklift", "truck"]
Load = Literal["", "box", "plank", "bucket", "pipe"]


class _Strict(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file that knows all its keys."""


class KnockConfig(_Strict):
    """`[[world.camera.knocks]]`: somebody turns the camera; it stays that way."""

    at_ms: NonNegativeInt
    pan_deg: float = 0.0
    tilt_deg: float = 0.0
    roll_deg: float = 0.0


class CameraConfig(_Strict):
    """`[world.camera]`: a pinhole on a mast."""

    at_m: Point = (0.0, 0.0)
    height_m: Annotated[float, Meta(ge=1, le=60)] = 4.5
    pan_deg: Annotated[float, Meta(ge=-180, le=180)] = 0.0
    tilt_deg: Annotated[float, Meta(ge=-10, le=85)] = 18.0
    """Downwards from the horizon."""
    roll_deg: Annotated[float, Meta(ge=-30, le=30)] = 0.0
    focal_mm: Annotated[float, Meta(ge=1.5, le=50)] = 4.0
    sensor_width_mm: Annotated[float, Meta(ge=2, le=40)] = 5.6
    """Of a 1/2.8 inch sensor; with 4 mm: 70 degrees across."""
    k1: Annotated[float, Meta(ge=-0.5, le=0.5)] = -0.08
    k2: Annotated[float, Meta(ge=-0.5, le=0.5)] = 0.01
    """Radial distortion after Brown; negative k1 is a barrel."""
    knocks: list[KnockConfig] = []


class LampConfig(_Strict):
    """`[[world.light.lamps]]`: a work light on a post."""

    at_m: tuple[Metres, Metres, Metres]
    aim_m: Point
    power: Annotated[float, Meta(gt=0, le=20)] = 1.0
    """1 lights a yard of ten metres well."""
    kelvin: Annotated[int, Meta(ge=1800, le=10000)] = 4000
    on: bool = True
    off_ms: NonNegativeInt = 0
    """It goes out at this time, and the exposure stays as it was; 0 = stays lit."""


class LightConfig(_Strict):
    """`[world.light]`: the sun, the clouds and the lamps."""

    hour: Annotated[float, Meta(ge=0, lt=24)] = 10.5
    """Local solar time; the sun is up from 6 to 18."""
    sun_from_deg: Annotated[float, Meta(ge=-360, le=360)] = 130.0
    """Where the sun stands at this hour, as a heading: 0 = ahead of the camera (glare when low)."""
    cloud: Share = 0.25
    lamps: list[LampConfig] = []


class WeatherConfig(_Strict):
    """`[world.weather]`: each from 0 (none) to 1 (as bad as a site still works in)."""

    rain: Share = 0.0
    snow: Share = 0.0
    wind: Share = 0.0
    """Sways the mast, drives rain and snow aside."""
    visibility_m: Annotated[float, Meta(ge=0)] = 0.0
    """Fog: how far one sees; 0 = clear."""


class LensConfig(_Strict):
    """`[world.lens]`: what is on the glass, and how sharp it is."""

    dust: Share = 0.0
    drops: Share = 0.0
    blur_px: Annotated[float, Meta(ge=0, le=4)] = 0.5
    vignette: Share = 0.15


class SensorConfig(_Strict):
    """`[world.sensor]`: how the picture is taken."""

    exposure_ev: Annotated[float, Meta(ge=-4, le=4)] = 0.0
    """Beside the automatic exposure."""
    shutter_ms: Annotated[float, Meta(ge=0, le=100)] = 8.0
    """Motion blur of what moves."""
    noise: Share = 0.15
    """Sensor noise in good light; darkness adds its own."""
    sharpness: Annotated[float, Meta(ge=0, le=2)] = 0.7
    """What the camera's processing adds to edges."""
    jpeg_quality: Annotated[int, Meta(ge=0, le=100)] = 85
    """0: not compressed."""


class StructureConfig(_Strict):
    """`[[world.structures]]`: something that stands."""

    kind: StructureKind
    at_m: Point
    heading_deg: float = 0.0
    size_m: Size | None = None
    """Width, depth, height; the kind's own size when left out."""
    colour: Colour = ""


class WaypointConfig(_Strict):
    """A place that a machine reaches at a time."""

    at_ms: NonNegativeInt
    to_m: Point


class MachineConfig(_Strict):
    """`[[world.machines]]`: something that moves and does not see people."""

    name: Name
    kind: MachineKind
    at_m: Point
    heading_deg: float = 0.0
    path: list[WaypointConfig] = []
    """Where it drives; it turns towards the next place. Empty: it stays."""
    swing_deg: Annotated[float, Meta(ge=0, le=180)] = 0.0
    """An excavator turns its upper part to and fro by this much."""
    swing_ms: PositiveInt = 8000
    colour: Colour = ""


class StepConfig(_Strict):
    """`[[world.people.script]]`: one thing after the other; the last one goes on."""

    do: Doing
    to_m: Point | None = None
    """Where to: needed by walk, run and crawl; others happen on the spot."""
    to_height_m: Annotated[float, Meta(ge=0, le=12)] = 0.0
    """How high climb goes; climb_down goes to the ground."""
    for_ms: NonNegativeInt = 0
    """How long; 0: as long as it takes, and for ever when nothing ends it."""
    speed_m_s: Annotated[float, Meta(gt=0, le=9)] | None = None
    """Of walk, run, crawl and climb; the action's own when left out."""
    heading_deg: float | None = None
    """Where to look; the way of walking, or as before, when left out."""
    direction: Literal["", "forward", "back", "left", "right"] = ""
    """Of fall; chosen by the seed when left out. From height: where the person then is."""


class PersonConfig(_Strict):
    """`[[world.people]]`: somebody, and what they do."""

    name: Name
    at_m: Point
    script: list[StepConfig]
    enter_ms: NonNegativeInt = 0
    """Before this time nobody is there."""
    leave_ms: NonNegativeInt = 0
    """From this time nobody is there any more; 0 = stays."""
    heading_deg: float = 180.0
    height_m: Annotated[float, Meta(ge=1.2, le=2.2)] | None = None
    girth: Annotated[float, Meta(ge=0.75, le=1.4)] | None = None
    helmet: bool = True
    vest: bool = True
    helmet_colour: Colour = ""
    vest_colour: Colour = ""
    top_colour: Colour = ""
    trousers_colour: Colour = ""
    skin_colour: Colour = ""
    hair_colour: Colour = ""
    carries: Load = ""


class ZoneConfig(_Strict):
    """`[[world.zones]]`: a polygon on the ground that the site's rules may name."""

    name: Name
    polygon_m: list[Point]
    marked: bool = True
    """Painted on the ground."""


class LineConfig(_Strict):
    """`[[world.lines]]`: a gate on the ground that the site's rules may name."""

    name: Name
    start_m: Point
    end_m: Point
    in_side: Literal["left", "right"] = "right"
    """Seen in the picture, walking from start to end."""


class WorldConfig(_Strict):
    """`[world]`: everything that there is to see."""

    ground: GroundKind = "concrete"
    wet: Share = 0.0
    camera: CameraConfig = CameraConfig()
    light: LightConfig = LightConfig()
    weather: WeatherConfig = WeatherConfig()
    lens: LensConfig = LensConfig()
    sensor: SensorConfig = SensorConfig()
    surroundings: bool = True
    """A horizon with hoarding, buildings and a crane; without: ground and sky only."""
    structures: list[StructureConfig] = []
    machines: list[MachineConfig] = []
    people: list[PersonConfig] = []
    zones: list[ZoneConfig] = []
    lines: list[LineConfig] = []
