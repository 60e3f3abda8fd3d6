"""A board that answers nonsense: each time one clear line, and never a traceback."""

from __future__ import annotations

import json

import pytest
from hostile_board import (
    GREETING,
    LIMIT_S,
    RUN,
    at_most,
    entry,
    judged,
    message,
    refused,
)

from edgeseg.runtime.remote import link
from edgeseg.runtime.remote.address import RemoteError
from edgeseg.runtime.remote.copying import Blob, ship

TOLD = {"run": RUN, "running": False, "folder": "/r", "exit": 0, "arguments": ["run"]}
# for each request an honest answer, and a command that leads to the request
HONEST = {
    "facts": {
        "machine": "aarch64",
        "glibc": "2.36",
        "home": "/h",
        "root": "/r",
        "python": [3, 11, 2],
    },
    "python": {
        "path": "/p",
        "bits": 64,
        "venv": True,
        "version": [3, 11, 2],
        "markers": {},
    },
    "state": {"offsets": [0], "free": 10**12},
    "commit": {"damaged": []},
    "tree": {"path": "/t"},
    "find": {"python": "/p"},
    "make": {"python": "/p"},
    "start": {"run": RUN},
    "follow": {"following": RUN},
    "runs": {"runs": [{**TOLD, "running": True}]},
    "tail": {"text": "line\n", "sizes": {"log": 1}},
    "end": TOLD,
    "results": {"files": [entry("out/a.png")]},
    "get": {"payload": 1},
}
NONSENSE = [
    "notjson",
    "[]",
    "{}",
    "1",
    "",
    "null",
    '"\x1b[2J"',
    "\xff\xfe",
    "[" * 100_000,
    '{"a":' * 100_000,
    '{"error": 5}',
    '{"error": null}',
    '{"note": {}}',
    '{"payload": ' + "9" * 5000 + "}",
]
OPTIONAL = ("exit", "arguments")
WRONG = [None, True, 10**30, "\x1b[2J/../x", ["\x1b[2J"], {"a": "\ud800"}]


def arguments(op, hostile):
    if op in ("runs", "tail"):
        return ["logs"]
    if op == "end":
        return ["stop"]
    if op in ("results", "get"):
        options = ["--wheel", hostile.wheel, "-o", "out/"]
        return ["run", "animals", "synthetic:8x8,frames=1", *options]
    return ["deploy", "--wheel", hostile.wheel]


def lead_to(op):
    """Return what an honest board must say for a request to be made."""
    if op == "commit":
        return {"state": [message(**HONEST["state"])]}
    if op == "end":
        return {"runs": [message(**HONEST["runs"])]}
    if op == "get":
        return {"results": [message(**HONEST["results"])]}
    return {}


@pytest.fixture
def call(hostile, tmp_path, monkeypatch):
    """Return what calls the command that asks for `op` and gets these answers."""
    monkeypatch.chdir(tmp_path)

    def invoke(op, *actions):
        hostile.play(**lead_to(op), **{op: actions})
        return hostile.invoke(*arguments(op, hostile))

    return invoke


@pytest.mark.parametrize("op", HONEST)
def test_what_is_no_message_is_one_line(call, op):
    for line in NONSENSE if op == "runs" else NONSENSE[:4]:
        refused(call(op, ["say", line + "\n"]), "board")


@pytest.mark.long
@pytest.mark.parametrize("op", HONEST)
def test_each_key_is_missed_and_must_be_of_its_type(call, op, monkeypatch):
    monkeypatch.setattr(link, "ANSWER_S", 1.0)  # of an answer that passes
    for key in HONEST[op]:
        kept = {k: v for k, v in HONEST[op].items() if k != key}
        if key not in OPTIONAL:
            refused(call(op, message(**kept)), f"{op!r} without {key!r}")
        for value in WRONG:
            done = call(op, message(**{**kept, key: value}))
            if key != "text":  # goes unchanged into what is no terminal
                judged(done)
        assert refused(call(op, message(**{**kept, key: 1.5})), f"for {key!r}")


@pytest.mark.parametrize(
    ("op", "answer"),
    [
        ("state", {"offsets": [10**6], "free": 10**12}),
        ("state", {"offsets": [0, 0], "free": 10**12}),
        ("state", {"offsets": [], "free": 10**12}),
        ("state", {"offsets": [-5], "free": 10**12}),
        ("commit", {"damaged": ["0" * 64]}),
        ("python", {**HONEST["python"], "version": [3, 3, 0]}),
        ("python", {**HONEST["python"], "version": [3, 11]}),
        ("python", {**HONEST["python"], "markers": {"os_name": 5}}),
        ("facts", {**HONEST["facts"], "glibc": "../../x.36"}),
        ("facts", {**HONEST["facts"], "glibc": "2.99999999999"}),
        ("facts", {**HONEST["facts"], "machine": "../../aarch64"}),
        ("start", {"run": "../x"}),
        ("follow", {"following": "another"}),
        ("runs", {"runs": [{**TOLD, "run": "\x1b[2J"}]}),
        ("runs", {"runs": [{**TOLD, "run": "-x"}]}),
        ("runs", {"runs": [5]}),
        ("tail", {"text": "", "sizes": {"../x": 5}}),
        ("end", {**TOLD, "run": "another"}),
        ("end", {**TOLD, "exit": 10**10}),
    ],
)
def test_an_answer_must_belong_to_its_request(call, op, answer):
    refused(call(op, message(**answer)), f"answers {op!r} with")


@pytest.mark.parametrize(
    "piece",
    [
        {"file": "err2", "payload": 5},
        {"file": "log", "payload": 5},
        {"file": "out", "payload": -1},
        {"file": "out", "payload": 10**18},
        {"file": "out", "payload": "5"},
        {"file": None, "payload": 5},
        {"file": "out"},
    ],
)
def test_what_a_run_prints_comes_in_pieces_of_its_files(hostile, tmp_path, piece):
    hostile.play(following=[message(**piece)])
    done = hostile.invoke("deploy", "--wheel", hostile.wheel)
    refused(done, "board answers 'piece' with")


def test_a_run_that_never_started_is_listed(hostile):
    hostile.play(runs=[message(runs=[{"run": RUN, "running": False, "folder": "/r"}])])
    done = hostile.invoke("logs")
    assert judged(done) == 0
    assert f"{RUN} did not start" in done.output


def test_a_detached_run_must_be_known(hostile):
    hostile.play(runs=[message(runs=[])])
    words = ["run", "animals", "synthetic:8x8", "--wheel", hostile.wheel, "--detach"]
    refused(hostile.invoke(*words, "-o", "out/"), "does not know the run")


@pytest.mark.parametrize("printed", ["[" * 100_000, "{", "\xff", "9" * 5000, "x" * 99])
def test_a_report_of_doctor_must_be_one(hostile, printed):
    piece = message(file="out", payload=len(printed))
    hostile.play(following=[piece, ["say", printed]])
    done = hostile.invoke("deploy", "--wheel", hostile.wheel, "--json")
    refused(done, "doctor did not end as expected")


def test_doctor_does_not_print_without_end(hostile):
    piece = json.dumps({"file": "out", "payload": 60_000}) + "\n" + "x" * 60_000
    hostile.play(following=[["endless", piece]])
    done = hostile.edgeseg("deploy", "--wheel", hostile.wheel, "--json")
    refused(done, "doctor prints more than 4 MB")


ENDLESS = {
    "a first line": {"before": [["endless", "x"]]},
    "first lines": {"before": [["endless", "welcome\n"]]},
    "first zeros": {"before": [["endless", "\0"]]},
    "half a greeting": {"before": [["endless", GREETING[:-1]]]},
    "a line for an answer": {"runs": [["endless", "x"]]},
    "an object for an answer": {"runs": [["say", "{"], ["endless", '"a":1,']]},
    "spaces for an answer": {"runs": [["endless", " "]]},
    "progress": {"runs": [["endless", '{"note": ""}\n']]},
    "long progress": {"runs": [["endless", '{"note": "' + "x" * 60_000 + '"}\n']]},
}


@pytest.mark.parametrize("name", ENDLESS)
def test_what_has_no_end_is_not_read_to_its_end(hostile, name):
    hostile.play(**ENDLESS[name])
    line = refused(hostile.edgeseg("logs"), "board sends ")
    if "first" in name:
        assert "~/.bashrc" in line
    if name == "first lines":
        assert "it printed: welcome welcome" in line


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ([["wait"]], "board does not answer within"),
        ([["say", "welcome to\nthe board"], ["wait"]], "printed: welcome to the board"),
        ([["complain", "x" * 10**6], ["wait"]], "board does not answer within"),
    ],
)
def test_who_never_greets_is_not_waited_for(hostile, monkeypatch, before, words):
    monkeypatch.setattr(link, "GREETING_S", 0.5)
    hostile.play(before=before)
    refused(hostile.invoke("logs"), words)


def test_who_never_answers_is_not_waited_for(hostile, monkeypatch):
    monkeypatch.setattr(link, "ANSWER_S", 0.5)
    hostile.play(runs=[["say", '{"runs": '], ["wait"]])
    refused(hostile.invoke("logs"), 'it printed: {"runs":')


def test_bytes_that_never_come_are_not_waited_for(hostile, monkeypatch):
    monkeypatch.setattr(link, "ANSWER_S", 0.5)
    hostile.play(following=[message(file="out", payload=9), ["say", "x"], ["wait"]])
    refused(hostile.invoke("deploy", "--wheel", hostile.wheel), "does not answer")


def test_who_takes_no_bytes_is_not_waited_for(hostile, tmp_path, monkeypatch):
    monkeypatch.setattr(link, "ANSWER_S", 0.5)
    (tmp_path / "large").write_bytes(bytes(10**6))
    # it answers, and then waits for its input to end without reading it
    held = [message(offsets=[0], free=10**12), ["endless", " "]]
    hostile.play(state=held)
    with (
        at_most(LIMIT_S),
        hostile.session([]) as session,
        pytest.raises(RemoteError, match="takes no more data"),
    ):
        ship(session, [Blob.of(tmp_path / "large")])


def test_a_talkative_login_script_does_no_harm(hostile):
    hostile.play(
        before=[["say", "news\n" * 12_000], ["complain", "warning\n" * 10**5]],
        runs=[["complain", "more\n" * 10**5], ["honest"]],
    )
    done = hostile.invoke("logs")
    assert judged(done) == 0
    assert done.output.startswith("a line\n")


def test_what_a_login_shell_said_before_it_ended_is_shown(hostile):
    hostile.play(before=[["say", "This account is closed.\n"], ["exit", 1]])
    refused(hostile.invoke("logs"), "as expected: This account is closed.")


def test_a_reason_is_shown_even_where_the_board_hangs_up(hostile, tmp_path):
    (tmp_path / "large").write_bytes(bytes(10**6))
    state = [message(offsets=[0], free=10**12), message(error="no\x1b[2J room")]
    hostile.play(state=[*state, ["exit", 0]])
    with hostile.session([]) as session, pytest.raises(RemoteError) as caught:
        ship(session, [Blob.of(tmp_path / "large")])
    assert str(caught.value) == "board: no\\x1b[2J room"
