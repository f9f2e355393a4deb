"""A USB stick: one image, once, handed to RAUC; students are brought where there is none."""

import pytest

from ota.head import MAGIC
from ota.image.boot_state import BootState, SlotState, may_be_written
from ota.image.stick import StickFault, Taken, find_bundle, install, restart, run_program, take


class Programs:
    """What was run; `rauc` ends as it is told to."""

    def __init__(self, rauc: int = 0, mount: int = 0, systemctl: int = 0):
        self.ends = {"rauc": rauc, "mount": mount, "systemctl": systemctl}
        self.calls: list[tuple[str, ...]] = []

    def __call__(self, command, most_s):
        assert most_s > 0
        self.calls.append(tuple(command))
        code = self.ends.get(command[0], 0)
        return code, f"{command[0]} says no" if code else ""

    def names(self):
        return [call[0] for call in self.calls]


STUDENTS = ("systemctl", "start", "haetae-carry@sda1.service")


@pytest.fixture
def stick(tmp_path):
    """What is on it, where it is mounted."""
    (tmp_path / "sda1").mkdir()
    (tmp_path / "sda1/cam.raucb").write_bytes(b"image " * 1000)
    return tmp_path / "sda1"


def put_students(stick):
    (stick / "bundles").mkdir()
    (stick / "bundles/students.bundle").write_bytes(MAGIC + bytes(1000))


def taken(stick, programs, said=None):
    tell = (said if said is not None else []).append
    return take("/dev/sda1", programs, tell, stick.parent, stick.parent / "tried")


def test_a_bundle_is_installed_once(stick):
    programs, said = Programs(), []
    assert taken(stick, programs, said) is Taken.IMAGE
    assert programs.calls == [
        ("mount", "-o", "ro,nodev,nosuid,noexec", "/dev/sda1", str(stick)),
        ("rauc", "install", str(stick / "cam.raucb")),
        ("umount", "--lazy", str(stick)),
    ]
    assert taken(stick, programs, said) is Taken.NOTHING
    assert programs.names().count("rauc") == 1
    assert "was tried before" in said[-1]


def test_a_stick_that_was_pulled_out_half_way_may_come_again(stick):
    class Pulled(Programs):
        def __call__(self, command, most_s):
            if command[0] == "rauc":
                (stick / "cam.raucb").unlink()
            return super().__call__(command, most_s)

    content = (stick / "cam.raucb").read_bytes()
    with pytest.raises(StickFault, match=r"/dev/sda1: .*No such file"):
        taken(stick, Pulled(rauc=1))
    (stick / "cam.raucb").write_bytes(content)
    assert taken(stick, Programs()) is Taken.IMAGE


def test_another_image_is_installed(stick):
    programs = Programs()
    assert taken(stick, programs) is Taken.IMAGE
    (stick / "cam.raucb").write_bytes(b"another")
    assert taken(stick, programs) is Taken.IMAGE


def test_what_rauc_refuses_is_told_and_not_offered_again(stick):
    programs, said = Programs(rauc=1), []
    assert taken(stick, programs, said) is Taken.REFUSED
    assert said[-1] == "cam.raucb was refused: rauc says no"
    assert taken(stick, programs) is Taken.NOTHING
    assert programs.names() == ["mount", "rauc", "umount", "mount", "umount"]


def test_students_are_brought_to_the_camera_while_the_stick_is_mounted(stick):
    (stick / "cam.raucb").unlink()
    put_students(stick)
    programs, said = Programs(), []
    assert taken(stick, programs, said) is Taken.NOTHING
    assert programs.calls[1:] == [STUDENTS, ("umount", "--lazy", str(stick))]
    assert said == ["students on the stick: they are brought to the camera"]


def test_an_image_comes_before_students_who_come_after_the_restart(stick):
    put_students(stick)
    programs = Programs()
    assert taken(stick, programs) is Taken.IMAGE
    assert STUDENTS not in programs.calls
    assert taken(stick, programs) is Taken.NOTHING
    assert programs.names().count("rauc") == programs.calls.count(STUDENTS) == 1


def test_students_beside_an_image_that_was_refused_still_come(stick):
    put_students(stick)
    programs = Programs(rauc=1)
    assert taken(stick, programs) is Taken.REFUSED
    assert programs.calls[2] == STUDENTS


def test_students_beside_two_images_still_come(stick):
    put_students(stick)
    (stick / "old.raucb").write_bytes(b"x")
    programs, said = Programs(), []
    assert taken(stick, programs, said) is Taken.REFUSED
    assert said[0] == "cam.raucb, old.raucb: leave one of them on the stick"
    assert programs.calls[1] == STUDENTS


def test_a_stick_that_is_out_before_its_students_were_all_there(stick):
    (stick / "cam.raucb").unlink()
    put_students(stick)
    said = []
    assert taken(stick, Programs(systemctl=1), said) is Taken.NOTHING
    assert said[-1] == "students from sda1: ended early: systemctl says no"


def test_the_camera_restarts_or_it_is_told_why_not():
    programs = Programs()
    restart(programs)
    assert programs.calls == [("systemctl", "reboot")]
    with pytest.raises(StickFault, match="does not restart: systemctl says no"):
        restart(Programs(systemctl=1))


def test_a_reset_while_it_installs_begins_again(stick):
    class Cut(Exception):
        pass

    def programs(command, most_s):
        if command[0] == "rauc":
            raise Cut
        return 0, ""

    with pytest.raises(Cut):
        taken(stick, programs)
    assert taken(stick, Programs()) is Taken.IMAGE


def test_sticks_of_other_people_are_left_alone(stick):
    (stick / "cam.raucb").unlink()
    (stick / "photo.jpg").write_bytes(b"x")
    (stick / "folder.raucb").mkdir()
    (stick / "link.raucb").symlink_to("/etc/passwd")
    assert find_bundle(stick) is None
    programs = Programs()
    assert taken(stick, programs) is Taken.NOTHING
    assert programs.names() == ["mount", "umount"]


def test_two_bundles_are_one_too_many(stick):
    (stick / "old.raucb").write_bytes(b"x")
    with pytest.raises(StickFault, match=r"cam\.raucb, old\.raucb: leave one"):
        find_bundle(stick)
    programs = Programs()
    assert taken(stick, programs) is Taken.REFUSED
    assert programs.names() == ["mount", "umount"]


def test_a_stick_that_cannot_be_mounted(stick):
    with pytest.raises(StickFault, match="cannot be mounted: mount says no"):
        taken(stick, Programs(mount=32))


def test_flash_that_takes_no_note_is_told(stick):
    with pytest.raises(StickFault, match="No such file"):
        install(stick / "cam.raucb", Programs(), [].append, stick / "none/tried")


def test_programs_are_really_run():
    assert run_program(("sh", "-c", "echo one; echo two; exit 3")) == (3, "two")
    rauc = "echo 'LastError: signature'; echo Installing failed >&2; exit 1"
    assert run_program(("sh", "-c", rauc)) == (1, "signature")
    with pytest.raises(StickFault, match="no-such-program"):
        run_program(("no-such-program",))


@pytest.mark.parametrize(
    ("a", "b", "slot", "running", "may"),
    [
        (True, True, "b", "a", True),
        (True, False, "b", "a", True),
        (False, True, "b", "a", False),
        (False, False, "b", "a", True),
        (True, True, "a", "a", False),
    ],
)
def test_the_only_way_back_is_not_written_over(a, b, slot, running, may):
    state = BootState(("a", "b"), SlotState(3, a), SlotState(3, b))
    assert may_be_written(state, slot, running) is may
