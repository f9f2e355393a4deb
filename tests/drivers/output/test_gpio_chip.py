"""A chip is found by its label, whatever its number."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from drivers.gpio_chip import chip_path


class Bench:
    """Device files of chips with labels."""

    def __init__(self, folder: Path, labels: dict[str, str]) -> None:
        self.folder, self.labels, self.is_open = folder, labels, 0
        for name in labels:
            (folder / name).touch()

    def open(self, path: str) -> SimpleNamespace:
        label = self.labels[Path(path).name]
        if label == "forbidden":
            raise PermissionError(13, "Permission denied")
        self.is_open += 1
        return SimpleNamespace(get_info=lambda: SimpleNamespace(label=label), close=self.close)

    def close(self) -> None:
        self.is_open -= 1

    def find(self, name: str) -> str:
        found = chip_path(name, self.open, self.folder)
        assert self.is_open == 0
        return found


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    labels = {"gpiochip0": "forbidden", "gpiochip2": "gpio1", "gpiochip10": "gpio3"}
    return Bench(tmp_path, labels)


def test_a_label_leads_to_its_device(bench):
    assert bench.find("gpio3") == str(bench.folder / "gpiochip10")


def test_a_device_file_is_taken_as_it_is(bench):
    assert bench.find("/dev/gpiochip7") == "/dev/gpiochip7"


def test_of_two_chips_with_one_label_the_first_counts(bench):
    bench.labels["gpiochip10"] = "gpio1"
    assert bench.find("gpio1") == str(bench.folder / "gpiochip2")


def test_a_link_is_not_another_chip(bench):
    """Raspberry Pi OS has a link gpiochip4 to gpiochip0."""
    (bench.folder / "gpiochip4").symlink_to(bench.folder / "gpiochip10")
    assert bench.find("gpio3") == str(bench.folder / "gpiochip10")


def test_what_is_not_there_is_told_with_what_is(bench):
    with pytest.raises(FileNotFoundError, match=r"labelled 'gpio9'; there are: gpio1, gpio3"):
        bench.find("gpio9")
