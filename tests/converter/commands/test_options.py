"""Settings declared once: options of a command, and the values that it takes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from edgeseg.converter.commands.convert import convert
from edgeseg.converter.commands.finetune import finetune, settings_of
from edgeseg.converter.commands.options import declared, take
from edgeseg.converter.conversion.request import Request, Scoring
from edgeseg.converter.loading.format import Loading
from edgeseg.converter.setting import KEY, Setting, setting
from edgeseg.converter.training.settings import Network, Pictures, Settings, Teaching
from edgeseg.runtime.commands.options import add_options


@dataclass(frozen=True)
class Lamp:
    """Made up."""

    colour: str = setting("red", Setting("Which.", choices=("red", "blue")))
    watts: int = setting(5, Setting(None, least=1, most=9))
    dim: float | None = setting(None, Setting(None, least=0, above=True))
    names: tuple[str, ...] | None = setting(None, Setting(None))
    size: tuple[int, int] | None = setting(None, Setting(None))
    shade: bool = setting(True, Setting(None))
    flicker: bool = setting(False, Setting(None, flag="--unsteady"))
    level: int = setting(2, Setting(None, choices=("1", "2")))
    place: Path | None = setting(None, Setting(None))


def lamp(*arguments):
    made = []

    def command(**values):
        made.append(take(Lamp, values))
        assert values == {}

    run = click.command()(add_options(command, *declared(Lamp)))
    done = CliRunner().invoke(run, arguments)
    return made[0] if made else done.output


def test_without_options_the_defaults_come_back():
    assert lamp() == Lamp()


def test_values_have_the_types_of_their_fields():
    assert lamp(
        *("--colour", "blue", "--watts", "9", "--dim", "0.5", "--names", "a, b"),
        *("--size", "20x30", "--no-shade", "--unsteady", "--level", "1"),
        *("--place", "shelf"),
    ) == Lamp("blue", 9, 0.5, ("a", "b"), (20, 30), False, True, 1, Path("shelf"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("--colour", "green"),
        ("--watts", "10"),
        ("--dim", "0"),
        ("--level", "3"),
        ("--size", "20x"),
    ],
)
def test_values_outside_of_the_limits_are_refused(arguments):
    assert "Invalid value" in lamp(*arguments)


def test_a_part_is_named_by_its_first_and_last_field():
    options = declared(Lamp, "watts", "names") + declared(Lamp, "place")
    command = click.command()(add_options(lambda **_: None, *options))
    assert [option.name for option in command.params] == [
        "watts",
        "dim",
        "names",
        "place",
    ]


def flags_of(settings):
    for each in fields(settings):
        if KEY in each.metadata:
            yield each.metadata[KEY].flag or f"--{each.name.replace('_', '-')}"


@pytest.mark.parametrize(
    ("command", "classes"),
    [
        (finetune, (Settings, Pictures, Network, Teaching)),
        (convert, (Request, Loading, Scoring)),
    ],
)
def test_every_setting_is_an_option_of_its_command(command, classes):
    offered = {flag for option in command.params for flag in option.opts}
    missing = [f for kind in classes for f in flags_of(kind) if f not in offered]
    assert missing == []


def test_a_training_without_options_has_the_settings_of_the_dataclasses():
    context = finetune.make_context(
        "finetune", ["photos", "-o", "out", "--from", "none"]
    )
    values = dict(context.params)
    for name in ("dataset", "output", "restart", "as_json"):
        del values[name]
    wanted = Settings("none", Pictures(Path("photos")))
    assert settings_of(Path("photos"), values) == wanted
    assert values == {}
