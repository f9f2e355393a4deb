"""A student set out of a slot: bytes that were just verified become packages, without a disk.

The bytes go to anonymous memory files, so what is loaded is what was hashed, whatever happens to
the flash meanwhile. A back end reads its file whole as it loads it; then the memory is free again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from drivers.faults import ModelRefused
from models.package import DESCRIPTION, Package, read_description, target_file, verify_file
from runtime.packages import Packages

Files = Mapping[str, Mapping[str, bytes]]
"""Role -> file name -> content."""


@contextmanager
def student_packages(
    files: Files, target: str, with_bodies: bool, origin: str
) -> Iterator[Packages]:
    """The packages of a set, for as long as it takes to load them.

    Args:
        files: verified.
        target: an `Npu.target`.
        with_bodies: skeleton and action are needed.
        origin: where they come from, for refusals.

    Raises:
        ModelRefused: a role is missing, a description is wrong or its file is another.
    """
    roles = ("detector", "skeleton", "action") if with_bodies else ("detector",)
    with ExitStack() as stack:
        found = [_package(stack, files, role, target, f"{origin}/{role}") for role in roles]
        yield Packages(*found)


def _package(stack: ExitStack, files: Files, role: str, target: str, where: str) -> Package:
    contents = files.get(role, {})
    if DESCRIPTION not in contents:
        raise ModelRefused(where, f"there is no {DESCRIPTION}; the camera needs a {role}")
    try:
        info = read_description(_lay_down(stack, contents[DESCRIPTION]))
    except ModelRefused as refused:
        raise ModelRefused(f"{where}/{DESCRIPTION}", refused.reason) from None
    if info.role != role:
        raise ModelRefused(where, f'role = "{info.role}"; allowed here: "{role}"')
    described = target_file(info, target, where)
    if described.file not in contents:
        raise ModelRefused(where, f"there is no {described.file}, which its description names")
    file = _lay_down(stack, contents[described.file])
    verify_file(file, described.bytes, described.sha256)
    return Package(Path(where), info, file)


def _lay_down(stack: ExitStack, content: bytes) -> Path:
    """A file in memory, closed with the stack."""
    fd = os.memfd_create("student", os.MFD_CLOEXEC)
    stack.callback(os.close, fd)
    with open(fd, "wb", closefd=False) as file:
        file.write(content)
    return Path(f"/proc/self/fd/{fd}")
