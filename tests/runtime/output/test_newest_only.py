from __future__ import annotations

import threading

import pytest

from edgeseg.devices import OutputError
from edgeseg.runtime.output.newest_only import NewestOnly


def test_the_newest_item_is_worked_on_and_older_ones_are_dropped():
    begun, go, done = threading.Event(), threading.Event(), []

    def work(item):
        begun.set()
        assert go.wait(10)
        done.append(item)

    worker = NewestOnly(work, "test")
    worker.put(0)
    assert begun.wait(10)
    for item in range(1, 100):
        worker.put(item)  # does not wait for the work
    go.set()
    worker.close()
    assert done == [0, 99]
    assert worker.dropped == 98


@pytest.mark.parametrize("ask", ["check", "close"])
def test_a_failure_is_raised_once(ask):
    failed = threading.Event()

    def work(item):
        failed.set()
        raise OutputError(f"no {item}")

    worker = NewestOnly(work, "test")
    worker.put("paper")
    assert failed.wait(10)
    worker._thread.join(10)
    with pytest.raises(OutputError, match="no paper"):
        getattr(worker, ask)()
    worker.put("ink")  # to nobody, and does not wait
    worker.check()
    worker.close()


def test_a_worker_that_hangs_is_left_behind():
    go = threading.Event()
    worker = NewestOnly(lambda item: go.wait(10), "test")
    worker.put(1)
    worker.close(timeout_s=0.1)
    assert worker._thread.is_alive()
    go.set()
    worker._thread.join(10)
    assert not worker._thread.is_alive()
