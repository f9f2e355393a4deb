"""100,000 frames in a sealed loop: `python -m tests.soak`; exit code 1 when memory moved.

The whole loop on the drawn room with the shipped student, in virtual time, under a soft RLIMIT_AS
without any slack. The scene is drawn once and shown again and again, so that the time goes into the
loop: every 12 s of source time a person walks through, and zone, alarm, siren and journal work.
"""

from __future__ import annotations

import argparse
import sys

from tests.machine import faulty

CYCLE = 120
"""Pictures: 12 s at 10 frames/s, one walk through the room; 83 MB that a camera does not need."""
ALLOWED_KB = 8
"""Two pages, in a run of any length: some page of the C library or the stack met late."""
ALLOWED_KEPT = 200
"""Objects that a whole run may keep, whatever its length: caches that fill once."""


def main() -> int:
    """Run, print the figures, judge them."""
    parser = argparse.ArgumentParser("python -m tests.soak")
    parser.add_argument("--frames", type=int, default=100_000)
    frames = parser.parse_args().frames
    result = faulty(frames=frames, recorded=CYCLE, timeout_s=3000)
    report = result["report"]
    alarms = sum(event["kind"] == "alarm" for event in result["events"])
    grown_kb = report["rss_kb_end"] - report["rss_kb_sealed"]
    space_kb = report["address_space_kb_end"] - report["address_space_kb_sealed"]
    print(f"frames {report['frames']}, alarms edges {alarms}, {report['fps']:.0f} frames/s")
    print(f"RSS {report['rss_kb_sealed']} kB at the seal, grown by {grown_kb} kB")
    print(f"address space grown by {space_kb} kB, slack {report['slack_kb']} kB")
    print(
        f"kept objects {report['kept_objects']} in all, {report['kept_objects_per_frame']} a frame"
    )
    print(f"objects in cycles {report['cyclic_objects_per_frame']} a frame")
    good = (
        report["frames"] == frames
        and alarms > frames / 500
        and grown_kb <= ALLOWED_KB
        and space_kb <= 0
        and report["slack_kb"] == 0
        and report["kept_objects"] <= ALLOWED_KEPT
        and report["cyclic_objects_per_frame"] == 0
    )
    print("memory did not move" if good else "FAILED: memory moved")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
