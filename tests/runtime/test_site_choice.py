"""Which site file a camera starts with, and how a pushed one proves itself."""

from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from drivers.board import load_board
from drivers.clock import VirtualClock
from drivers.faults import StorageFault
from drivers.storage import FileStorage
from drivers.toml_strict import ConfigErrors
from drivers.update_config import UpdatesConfig
from ota.area import needed_bytes
from ota.store import Store
from runtime.desk import Desk
from runtime.site_check import load_site
from runtime.site_choice import choose_site, drop_pushed, parse_site
from runtime.updates import RESTART_MS, SITE_PROVES_MS, Updates
from tests.places import REPOSITORY

SITES = REPOSITORY / "board_configs" / "site"
GIVEN = SITES / "counting.toml"
PUSHED = (SITES / "demo_zone.toml").read_text()


@pytest.fixture
def board(tmp_path):
    made = load_board(REPOSITORY / "board_configs" / "sim.toml")
    updates = UpdatesConfig(path=str(tmp_path / "slots"), ring="none", slot_mb=1, max_tries=2)
    return replace(made, updates=updates)


def store_of(board):
    unit = board.storage.atomic_unit_bytes
    size = needed_bytes(board.updates.slot_mb << 20, unit)
    storage = FileStorage(board.updates.path, size, unit)
    return Store(storage, board.updates.slot_mb << 20), storage


def with_store(board, do):
    store, storage = store_of(board)
    try:
        return do(store)
    finally:
        storage.close()


def choose(board):
    return choose_site(board, load_site(GIVEN), str(GIVEN))


def test_without_a_pushed_one_the_given_file_is_run(board):
    for each in (board, replace(board, updates=None)):
        chosen = choose(each)
        assert not chosen.is_pushed and chosen.file == str(GIVEN)


def test_a_pushed_file_is_tried_so_often_and_then_given_up(board):
    with_store(board, lambda store: store.save_site(PUSHED))
    for number in (1, 2):
        chosen = choose(board)
        assert chosen.is_pushed and chosen.site.name == "demo zone"
        assert with_store(board, lambda store: store.site.tries) == number, "durable before it runs"
    chosen = choose(board)
    assert not chosen.is_pushed, "the camera was reset with it each time"
    assert with_store(board, lambda store: store.state.site.last.reason) == "reset"


def test_a_confirmed_file_is_run_for_ever(board):
    with_store(board, lambda store: (store.save_site(PUSHED), store.confirm_site()))
    assert all(choose(board).is_pushed for _ in range(5))


def test_a_file_that_cannot_be_read_gives_way_at_once(board):
    with_store(board, lambda store: store.save_site("rules = 7\n"))
    assert not choose(board).is_pushed
    assert "format: is missing" in with_store(board, lambda store: store.state.site.last.detail)


def test_a_file_that_does_not_fit_can_be_dropped_by_the_boot(board):
    assert not drop_pushed(board, "nothing was pushed")
    with_store(board, lambda store: store.save_site(PUSHED))
    assert drop_pushed(board, "zone outside of the picture")
    assert not choose(board).is_pushed


class FullFlash(FileStorage):
    def write_at(self, offset, data):
        raise StorageFault("full", "not a byte more")


@pytest.mark.parametrize("text", [(SITES / "man_down.toml").read_text(), "rules = 7\n"])
def test_a_try_that_cannot_be_counted_is_not_made_and_the_confirmed_file_is_run(board, text):
    with_store(board, lambda store: (store.save_site(PUSHED), store.confirm_site()))
    with_store(board, lambda store: store.save_site(text))
    given = load_site(GIVEN)
    for _ in range(3):
        chosen = choose_site(board, given, str(GIVEN), lambda kind, name: FullFlash)
        assert chosen.is_pushed and chosen.site.name == "demo zone"


def test_the_confirmed_file_follows_one_that_was_given_up(board):
    with_store(board, lambda store: (store.save_site(PUSHED), store.confirm_site()))
    with_store(board, lambda store: store.save_site("rules = 7\n"))
    assert choose(board).site.name == "demo zone"


def test_flash_that_cannot_be_opened_leaves_the_given_file(board):
    _, storage = store_of(board)
    try:
        assert not choose(board).is_pushed, "another process holds it"
    finally:
        storage.close()


def test_mistakes_name_the_pushed_file():
    with pytest.raises(ConfigErrors, match=r"the pushed site: rules"):
        parse_site("format = 1\nname = 'x'\nrules = 7\n", "the pushed site")


class Proving:
    """A worker's step with a site on trial."""

    def __init__(self):
        self.clock, self.confirmed, self.stopped = VirtualClock(), 0, 0
        self.reads = 0
        state = SimpleNamespace(site=SimpleNamespace(trial=1))
        site = SimpleNamespace(is_trial=True, state=state.site)
        proving = self

        class FlashStore:
            confirm_site = staticmethod(self.confirm)

            @property
            def site(self):
                proving.reads += 1
                return site

        store = FlashStore()
        store.state = state
        self.health = SimpleNamespace(healthy=True)
        trial = SimpleNamespace(step=lambda now_ms: False, close=lambda: None)
        worker = SimpleNamespace(is_alive=True, close=lambda: None)
        self.site = site
        self.updates = Updates(worker, Desk(), trial, store, self.health, self.clock, self.stop)

    def confirm(self):
        self.confirmed += 1
        self.site.is_trial = False
        self.site.state.trial = -1

    def stop(self):
        self.stopped += 1

    def go(self, to_ms):
        while self.clock.now_ms() < to_ms:
            self.clock.sleep_until_ms(self.clock.now_ms() + 100)
            self.updates.step(self.clock.now_ms())
            self.updates.look(SimpleNamespace(now_ms=self.clock.now_ms()))


def test_a_site_stays_once_the_camera_was_healthy_with_it_for_a_while():
    proving = Proving()
    proving.go(SITE_PROVES_MS - 1000)
    proving.health.healthy = False
    proving.go(SITE_PROVES_MS)
    proving.health.healthy = True
    proving.go(2 * SITE_PROVES_MS - 1000)
    assert proving.confirmed == 0, "the time counts from the last fault"
    proving.go(2 * SITE_PROVES_MS + 1000)
    assert proving.confirmed == 1


def test_one_that_is_damaged_on_flash_never_stays_and_flash_is_not_read_all_the_time():
    proving = Proving()
    proving.site.is_trial = False
    proving.go(5 * SITE_PROVES_MS)
    assert proving.confirmed == 0 and proving.reads <= 5


def test_a_new_site_restarts_the_camera_after_the_answer_got_out():
    proving = Proving()
    proving.updates.restart_soon()
    proving.go(RESTART_MS - 100)
    assert not proving.stopped and not proving.updates.restarts
    proving.go(RESTART_MS + 200)
    assert proving.stopped == 1 and proving.updates.restarts
