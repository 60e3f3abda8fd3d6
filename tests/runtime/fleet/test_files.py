"""What `edgeseg fleet init` writes, and what it leaves alone."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from edgeseg.runtime.cli import main
from edgeseg.runtime.fleet.files import project_files

SHELLS = ("shell", "ansible.builtin.shell", "raw", "ansible.builtin.raw")
# keys of a task or block that are no module
KEYWORDS = frozenset(
    {
        *("name", "when", "vars", "loop", "loop_control", "register", "block"),
        *("rescue", "always", "changed_when", "failed_when", "check_mode"),
        *("no_log", "diff", "tags", "until", "retries", "delay"),
    }
)


def call(*words):
    return CliRunner().invoke(main, ["fleet", *map(str, words)])


def tasks_in(entries):
    for entry in entries or ():
        yield entry
        for key in ("block", "rescue", "always", "tasks"):
            yield from tasks_in(entry.get(key))


@pytest.fixture(scope="module")
def tasks():
    yaml = pytest.importorskip("yaml")
    found = []
    for name, content in project_files().items():
        if name.startswith("roles/edgeseg/tasks/"):
            found += [(name, task) for task in tasks_in(yaml.safe_load(content))]
    return found


def test_a_new_folder_gets_all_files(tmp_path):
    done = call("init", tmp_path / "fleet")
    assert done.exit_code == 0, done.output
    written = {
        path.relative_to(tmp_path / "fleet").as_posix(): path.read_bytes()
        for path in (tmp_path / "fleet").rglob("*")
        if path.is_file()
    }
    assert written == project_files()
    assert {"inventory.yaml", "site.yaml", "rollback.yaml", "gather.yaml"} <= set(
        written
    )


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("mine")
    for words in ([], ["--overwrite"]):
        done = call("init", tmp_path, *words)
        assert done.exit_code == 1
        assert done.output.count("\n") == 1
        assert "empty" in done.output
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_overwriting_keeps_inventory_and_variables(tmp_path):
    folder = tmp_path / "fleet"
    call("init", folder)
    own = [folder / "inventory.yaml", folder / "group_vars/boards/vault.yaml"]
    for path in (*own, folder / "site.yaml"):
        path.write_text("changed: true\n")
    assert call("init", folder).exit_code == 1
    done = call("init", folder, "--overwrite")
    assert done.exit_code == 0
    assert all(path.read_text() == "changed: true\n" for path in own)
    assert (folder / "site.yaml").read_bytes() == project_files()["site.yaml"]
    assert done.output.count("it stays") == 3


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    done = call("init", tmp_path / "file")
    assert (done.exit_code, done.output.count("\n")) == (1, 1)
    assert "got the file" in done.output


def test_an_empty_text_is_not_this_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = call("init", "")
    assert done.exit_code == 2
    assert "expected a path" in done.output
    assert not list(tmp_path.iterdir())


def test_every_file_is_yaml():
    yaml = pytest.importorskip("yaml")
    for name, content in project_files().items():
        if name.endswith(".yaml") and "vault" not in name:
            assert yaml.safe_load(content), name


def test_tasks_call_what_every_ansible_has_and_no_shell(tasks):
    modules = [(name, set(task) - KEYWORDS) for name, task in tasks]
    for name, found in modules:
        assert len(found) <= 1, (name, found)
        assert all(each.startswith("ansible.builtin.") for each in found), name
        assert not found & set(SHELLS), name
    assert sum(bool(found) for _, found in modules) > 40


def test_every_task_has_a_name(tasks):
    assert all(task.get("name") for _, task in tasks)


def test_what_holds_a_secret_is_not_shown(tasks):
    holders = [
        task
        for _, task in tasks
        if any(
            word in str(task.get("ansible.builtin.copy"))
            for word in ("edgeseg_mqtt_password", "edgeseg_environment.")
        )
    ]
    assert len(holders) == 2
    for task in holders:
        assert task["no_log"] is True
        assert task["diff"] is False
        assert task["ansible.builtin.copy"]["mode"] == "0600"
