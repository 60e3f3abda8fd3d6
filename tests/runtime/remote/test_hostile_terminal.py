"""What a board says is shown by the terminal and never acted on."""

from __future__ import annotations

import json

import pytest
from hostile_board import RUN, message

# clears the screen, sets the title, answers to the shell, turns the text round
EVIL = "\x1b[2J\x1b]0;title\x07\x1b[6n\x9b5n\x85\u202e\r\b\0end"
SHOWN = "\\x1b[2J\\x1b]0;title\\x07\\x1b[6n\\x9b5n"
TOLD = {"run": RUN, "running": True, "folder": "/r", "arguments": ["run", EVIL]}
PIECE = EVIL.encode()
PLAYS = {
    "an error": {"runs": [message(error=EVIL)]},
    "an error without end": {"runs": [message(error=EVIL * 10_000)]},
    "progress": {"runs": [message(note=EVIL), message(runs=[])]},
    "nonsense": {"runs": [["say", EVIL.encode().decode("latin-1") + "\n"]]},
    "a wrong answer": {"runs": [message(runs=[EVIL])]},
    "a key": {"runs": [message(runs=[{**TOLD, "run": EVIL}])]},
    "arguments of a run": {"runs": [message(runs=[TOLD])]},
    "the end of a log": {"tail": [message(text=f"{EVIL}\n", sizes={"log": 5})]},
    "a log": {
        "runs": [message(runs=[TOLD])],
        "following": [
            message(file="log", payload=len(PIECE)),
            ["say", PIECE.decode("latin-1")],
        ],
    },
    "standard error": {
        "before": [["complain", PIECE.decode("latin-1")], ["exit", 255]],
    },
    "what comes before": {
        "before": [["say", PIECE.decode("latin-1")], ["exit", 1]],
    },
    "what never ends": {"before": [["endless", PIECE.decode("latin-1")]]},
}


@pytest.mark.parametrize("name", PLAYS)
def test_a_terminal_is_never_commanded(hostile, name):
    hostile.play(**PLAYS[name])
    follow = ["--follow"] if name == "a log" else []
    shown = hostile.on_a_terminal("logs", *follow).decode()
    assert shown
    # a terminal's own line ends are "\r\n"
    lines = shown.replace("\r\n", "\n")
    assert all(character.isprintable() or character == "\n" for character in lines)
    assert "Traceback" not in lines
    assert len(lines) < 3000
    if "key" not in name and "wrong" not in name:
        assert SHOWN in lines


def test_doctor_commands_no_terminal(hostile):
    following = [
        message(file="out", payload=len(PIECE)),
        ["say", PIECE.decode("latin-1")],
    ]
    hostile.play(following=following)
    shown = hostile.on_a_terminal("deploy", "--wheel", hostile.wheel).decode()
    assert SHOWN in shown
    assert "\x1b" not in shown


def test_what_goes_into_a_file_stays_as_it_is(hostile):
    """What a run prints is its user's: only a terminal must not act on it."""
    data = bytes(range(256)) * 100
    hostile.play(
        runs=[message(runs=[TOLD])],
        following=[
            message(file="log", payload=len(data)),
            ["say", data.decode("latin-1")],
        ],
    )
    done = hostile.invoke("logs", "--follow")
    assert done.exit_code == 0
    assert data in done.stdout_bytes


def test_half_characters_wait_for_their_other_half(hostile):
    text = "Müller 猫 \ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")
    pieces = []
    for byte in text.encode():
        pieces += [message(file="log", payload=1), ["say", chr(byte)]]
    hostile.play(runs=[message(runs=[TOLD])], following=pieces)
    assert text in hostile.on_a_terminal("logs", "--follow").decode()


def test_lone_surrogates_of_a_log_are_no_traceback(hostile):
    text = json.loads('"a \\ud800 b\\n"')
    hostile.play(tail=[message(text=text, sizes={})])
    done = hostile.invoke("logs")
    assert done.exit_code == 0
    assert "a \\ud800 b\n" in done.output
    shown = hostile.on_a_terminal("logs").decode()
    assert "a \\ud800 b" in shown
