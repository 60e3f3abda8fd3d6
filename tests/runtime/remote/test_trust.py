"""Whom the workstation talks to, and what it says when it does not."""

from __future__ import annotations

import os
import pwd

import pytest
from loopback_board import free_port

from edgeseg.devices import MissingDriverError
from edgeseg.runtime.remote.address import RemoteError


def one_line(done):
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: ")
    return line


def test_an_unknown_host_key_is_refused_and_nothing_runs(fresh_board):
    line = one_line(fresh_board.edgeseg("deploy", known="unknown"))
    assert "host key of board is not known" in line
    assert "ssh board" in line
    assert not fresh_board.root.exists()
    assert (fresh_board.folder / "unknown").read_text() == ""


def test_a_changed_host_key_is_refused_and_nothing_runs(fresh_board):
    line = one_line(fresh_board.edgeseg("logs", known="changed"))
    assert "not the one that was accepted before" in line
    assert "ssh-keygen -R" in line
    assert not fresh_board.root.exists()


def test_a_wrong_key_is_refused_without_asking(fresh_board):
    line = one_line(fresh_board.edgeseg("stop", key="other_key"))
    assert "ssh-copy-id board" in line
    assert not fresh_board.root.exists()


def test_a_closed_port_is_told(board):
    line = one_line(board.edgeseg("logs", port=free_port()))
    assert "refuses SSH connections" in line


def test_a_host_that_does_not_exist_is_told(board):
    line = one_line(board.edgeseg("logs", more="Host board\n HostName x.invalid"))
    assert "no such host: board" in line


def test_a_broken_configuration_is_told(board):
    line = one_line(board.edgeseg("logs", more="Nonsense yes"))
    assert "SSH configuration has an error" in line


def test_without_ssh_the_package_is_named(board, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with (
        pytest.raises(MissingDriverError, match="openssh-client"),
        board.session() as session,
    ):
        session.link()


def test_a_login_script_that_prints_does_no_harm(fresh_board):
    (fresh_board.home / ".bashrc").write_text("echo welcome\necho more >&2\n")
    (fresh_board.home / ".profile").write_text("echo welcome\n")
    with fresh_board.session() as session:
        assert session.ask("facts")["root"] == str(fresh_board.root)


# over SSH, bash alone reads a script before a command that is no login
needs_bash = pytest.mark.skipif(
    not pwd.getpwuid(os.getuid()).pw_shell.endswith("bash"),
    reason="the login shell of this user is not bash",
)


@needs_bash
def test_a_login_script_that_never_ends_is_not_waited_for(fresh_board):
    (fresh_board.home / ".bashrc").write_text("yes welcome\n")
    line = one_line(fresh_board.edgeseg("logs"))
    assert "sends more than 65" in line
    assert "it printed: welcome welcome" in line
    assert "~/.bashrc" in line


@needs_bash
def test_a_login_script_that_ends_the_login_is_told(fresh_board):
    (fresh_board.home / ".bashrc").write_text("echo closed for today\nexit 3\n")
    assert "closed for today" in one_line(fresh_board.edgeseg("logs"))


def test_what_the_board_cannot_do_is_one_line(board):
    with board.session() as session, pytest.raises(RemoteError, match="not a path"):
        session.ask("tree", name="a" * 32, files=[["../../x", "b"]])
