"""A network that never says "fall" is found out without anybody falling."""

import numpy as np
import pytest

from drivers.board import NpuConfig
from drivers.npu.tflite import TfliteNpu
from models.action import ActionNetwork
from models.package import STUDENTS, load_package
from models.signature import open_session
from runtime.exam import ALLOWED, known, skeletons
from sim.board import students

SHIPPED = STUDENTS / "action_xs"


@pytest.fixture
def network():
    sessions = []

    def make(folder):
        package = load_package(folder, "tflite")
        sessions.append(open_session(package, TfliteNpu(NpuConfig(driver="tflite"))))
        return ActionNetwork(package, sessions[-1], 1)

    yield make
    for session in sessions:
        session.close()


class Always:
    """A network that says the same of everybody."""

    def __init__(self, action, classes):
        self.classes, self.index = classes, classes.index(action)

    def __call__(self, table, actions):
        actions.best[0] = self.index
        actions.count = 1


def test_half_of_them_stand_and_half_lie():
    questions, down = skeletons()
    assert sum(down) * 2 == len(down) == len(questions) == 32
    high = np.ptp(questions[:, :, 1], axis=1) > np.ptp(questions[:, :, 0], axis=1)
    assert (high == ~np.array(down)).all()


def test_the_shipped_network_knows_them_all(network):
    assert known(network(SHIPPED)) == 32


def test_a_harmless_change_passes_and_random_weights_do_not(network, tmp_path):
    good = students.make("good", tmp_path / "good", SHIPPED)
    random = students.make("random", tmp_path / "random", SHIPPED)
    assert known(network(good)) >= 32 - ALLOWED > known(network(random))


@pytest.mark.parametrize("action", ["stand", "fall"])
def test_who_says_the_same_of_everybody_knows_half(network, action):
    assert known(Always(action, network(SHIPPED).classes)) == 16
