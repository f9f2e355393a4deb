"""Typed hardware faults: what a driver may raise, caught in one place by the loop."""


class HardwareFault(Exception):
    """A device failed. `reason` is a short stable word for logs and rules, `detail` is for people.

    Attributes:
        component: which part failed, e.g. "camera"; one per subclass.
        reason: machine-readable cause, e.g. "no_frame".
        detail: sentence for a person: what happened, and to which device.
    """

    component = "hardware"

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{self.component}: {reason}" + (f": {detail}" if detail else ""))
        self.reason = reason
        self.detail = detail


class CameraFault(HardwareFault):
    """The camera cannot be opened, delivers nothing, or delivers something unusable."""

    component = "camera"


class CameraGone(CameraFault):
    """The camera has been away for longer than the board file's `give_up_ms`: stop retrying."""


class NpuFault(HardwareFault):
    """An inference failed, hung, or gave outputs that are not new."""

    component = "npu"


class OutputFault(HardwareFault):
    """A siren, lamp or relay did not take its level."""

    component = "output"


class InputFault(HardwareFault):
    """A button, or the socket that operators use, does not work."""

    component = "operator"


class LinkFault(HardwareFault):
    """A serial port or connection cannot be opened, or is gone: open it again."""

    component = "link"


class StorageFault(HardwareFault):
    """Flash is full, read-only, torn or gone."""

    component = "storage"


class WatchdogFault(HardwareFault):
    """The watchdog device cannot be opened or fed."""

    component = "watchdog"


class ThermalFault(HardwareFault):
    """The board is too hot, or its thermometers or clocks are not as the board file says."""

    component = "thermal"


class EndOfStream(Exception):
    """A finite source (video file, image folder) has given its last frame. Not a fault."""


class ModelRefused(Exception):
    """A model file or package is not what it says, or is not one that this device can run.

    Attributes:
        path: the file that is wrong.
        reason: what is wrong and what is allowed.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason
