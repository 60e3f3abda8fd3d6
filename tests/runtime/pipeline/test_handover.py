from __future__ import annotations

import threading

import pytest

from edgeseg.runtime.pipeline.handover import Handover
from edgeseg.runtime.pipeline.stopping import Stop

LIMIT_S = 20


@pytest.fixture
def stop():
    return Stop()


def in_thread(work):
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def assert_ends(thread):
    thread.join(LIMIT_S)
    assert not thread.is_alive()


def test_a_queue_keeps_everything_in_order(stop):
    queue = Handover(2, stop)

    def give():
        for number in range(500):
            assert queue.put(number) == 0
        queue.end()

    giver = in_thread(give)
    taken = []
    while not queue.ended:
        item = queue.get()
        if item is not None:
            taken.append(item)
    assert taken == list(range(500))
    assert_ends(giver)


def test_in_a_slot_the_newest_wins_and_the_others_are_counted(stop):
    slot = Handover(1, stop, newest=True)
    assert [slot.put(number) for number in range(5)] == [0, 1, 1, 1, 1]
    assert slot.get() == 4
    assert slot.get(0.01) is None


def test_what_waits_is_taken_after_the_end(stop):
    queue = Handover(3, stop)
    queue.put("a")
    queue.end()
    assert not queue.ended
    assert queue.get() == "a"
    assert queue.ended
    assert queue.get() is None


@pytest.mark.parametrize("how", ["stop", "refuse"])
def test_nobody_waits_for_room_for_ever(how, stop):
    queue = Handover(1, stop)
    queue.put("a")
    giver = in_thread(lambda: queue.put("b"))
    if how == "stop":
        stop.ask()
    else:
        queue.refuse()
    assert_ends(giver)


def test_after_a_stop_nothing_is_handed_over(stop):
    queue = Handover(2, stop)
    queue.put("a")
    stop.ask()
    assert queue.ended
    assert queue.get() is None


def test_room_is_told(stop):
    queue = Handover(1, stop)
    assert queue.has_room()
    queue.put("a")
    assert not queue.has_room(0.01)
    queue.get()
    assert queue.has_room()
