from __future__ import annotations

import logging

from edgeseg.runtime.output.connection import OutputConnection

LOGGER = logging.getLogger("edgeseg.test")


def words(caplog):
    return [record.getMessage() for record in caplog.records]


def test_waiting_and_being_there_are_each_said_once(caplog):
    connection = OutputConnection("the broker x", LOGGER)
    assert connection.state == {"connected": False, "reconnects": 0, "error": None}
    for reason in ("refused", "refused", "no answer"):
        connection.failed(reason)
    assert connection.state["error"] == "no answer"
    connection.made()
    assert connection.state == {"connected": True, "reconnects": 0, "error": None}
    connection.failed("reset")
    connection.failed("refused")
    assert connection.state == {"connected": False, "reconnects": 0, "error": "refused"}
    connection.made()
    assert connection.state == {"connected": True, "reconnects": 1, "error": None}
    assert words(caplog) == [
        "waiting for the broker x: refused",
        "connected to the broker x",
        "lost the broker x (reset): trying again",
        "connected to the broker x again",
    ]


def test_who_is_there_at_once_is_not_worth_a_word(caplog):
    connection = OutputConnection("the broker x", LOGGER)
    connection.made()
    connection.trouble("publishing to a: not authorized")
    assert connection.state["error"] == "publishing to a: not authorized"
    assert connection.connected
    assert words(caplog) == []


def test_pauses_grow_and_begin_anew():
    connection = OutputConnection("x", LOGGER)
    assert [connection.next_pause_s() for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    connection.made()
    assert connection.next_pause_s() == 1
