"""The `edgeseg` command: a table of commands, each loaded when it is used."""

from __future__ import annotations

import errno
import importlib
import logging
import os
from typing import TYPE_CHECKING

import click

from edgeseg.devices.errors import EdgesegError
from edgeseg.devices.plain_text import one_line, plain, reason_of, shortened
from edgeseg.runtime.terminal.console import open_closed_streams, show_any_text

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_LONGEST = 2000  # characters of an error or a warning

# name: (where it lives, one line for --help). Text, so that --help imports none of
# them; the converter and the benchmarks are named here and nowhere else below them.
_COMMANDS = {
    "archive": (
        "edgeseg.runtime.commands.archive:archive",
        "Segment very many pictures, on this machine or a cluster of Ray.",
    ),
    "bench": (
        "edgeseg.benchmarks.commands.bench:bench",
        "Measure how long a picture takes.",
    ),
    "check": (
        "edgeseg.runtime.commands.check:check",
        "Show which processor runs each operator, and what to change.",
    ),
    "compare": (
        "edgeseg.benchmarks.commands.parity:compare",
        "Show how alike two models answer on pictures without truth.",
    ),
    "compile": (
        "edgeseg.converter.commands.compile:compile_command",
        "Compile a model for a chip with the chip's own compiler.",
    ),
    "convert": (
        "edgeseg.converter.commands.convert:convert",
        "Turn a Keras model into a verified int8 TFLite file.",
    ),
    "dashboards": (
        "edgeseg.runtime.commands.dashboards:dashboards",
        "Write dashboards for Grafana and Home Assistant.",
    ),
    "dataset": (
        "edgeseg.runtime.commands.dataset:dataset",
        "Show what is in a data set, and what is wrong with it.",
    ),
    "demo": (
        "edgeseg.converter.commands.convert:demo",
        "Show the whole path on the model that comes with edgeseg.",
    ),
    "devices": (
        "edgeseg.runtime.commands.devices:devices",
        "Show this board and the devices that --device takes.",
    ),
    "doctor": (
        "edgeseg.runtime.commands.doctor:doctor",
        "Look for what keeps models from running, or running fast, here.",
    ),
    "eval": (
        "edgeseg.benchmarks.commands.eval:evaluate",
        "Score a model on pictures with truth.",
    ),
    "fetch": (
        "edgeseg.converter.commands.fetch:fetch",
        "Fetch a public model by name, checked by its SHA-256.",
    ),
    "finetune": (
        "edgeseg.converter.commands.finetune:finetune",
        "Train a network on your own classes.",
    ),
    "fleet": (
        "edgeseg.runtime.commands.fleet:fleet",
        "Install and update many boards with Ansible, in waves.",
    ),
    "info": (
        "edgeseg.runtime.commands.info:info",
        "Show a model's tensors, operators and manifest.",
    ),
    "model": (
        "edgeseg.runtime.commands.model:model",
        "Install models by name, update them, and take them back.",
    ),
    "models": (
        "edgeseg.runtime.commands.models:models",
        "Show the models that come with edgeseg, and those that fetch knows.",
    ),
    "parity": (
        "edgeseg.benchmarks.commands.parity:parity",
        "Show how many labels a model has in common with a reference.",
    ),
    "reference": (
        "edgeseg.benchmarks.commands.reference:reference",
        "Record what the float model answers, to hold others against.",
    ),
    "remote": (
        "edgeseg.runtime.commands.remote:remote",
        "Deploy to a board over SSH, and run and measure there.",
    ),
    "report": (
        "edgeseg.benchmarks.commands.report:report",
        "Show records on one self-contained page.",
    ),
    "run": (
        "edgeseg.runtime.commands.run:run",
        "Segment pictures, a video or a camera and write or show the result.",
    ),
    "service": (
        "edgeseg.runtime.commands.service:service",
        "Keep a run on: start with the machine, restart when it hangs.",
    ),
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, attribute = _COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def shell_complete(
        self, ctx: click.Context, incomplete: str
    ) -> list[CompletionItem]:
        """Offer the commands by their table: none of them is loaded for it."""
        from click.shell_completion import CompletionItem

        items = [
            CompletionItem(name, help=text)
            for name, (_, text) in sorted(_COMMANDS.items())
            if name.startswith(incomplete)
        ]
        return [*items, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except EdgesegError as error:
            raise click.ClickException(one_line(error, _LONGEST)) from error
        except ModuleNotFoundError as error:
            layer = ".".join((error.name or "").split(".")[:2])
            if layer not in ("edgeseg.converter", "edgeseg.benchmarks"):
                raise
            raise click.ClickException(
                f"{layer} is not installed: `edgeseg remote` brings boards only what "
                "runs there; do this on the workstation"
            ) from error
        except ImportError as error:
            from edgeseg.devices.machine_code import unloadable  # not at every start

            reason = unloadable(error)
            if reason is None:
                raise
            raise click.ClickException(shortened(plain(reason), _LONGEST)) from error
        except (OSError, MemoryError) as error:
            # what a full disk, a lack of memory or an unusable name makes of a call
            # that nobody foresaw; click itself ends a run whose reader has gone
            if getattr(error, "errno", None) == errno.EPIPE:
                raise
            raise click.ClickException(_reason(error)) from error
        except UnicodeEncodeError as error:
            raise click.ClickException(
                f"the locale's encoding ({error.encoding}) has no "
                f"{plain(error.object[error.start : error.end])!r} for the name "
                f"{plain(error.object)}: set PYTHONUTF8=1"
            ) from error


def _reason(error: OSError | MemoryError) -> str:
    if isinstance(error, MemoryError):
        text = one_line(error, _LONGEST)
        more = f" ({text})" if text != type(error).__name__ else ""
        return f"not enough memory{more}: use a smaller input, or allow more"
    name = error.filename
    where = f"{plain(os.fsdecode(name))}: " if isinstance(name, (str, bytes)) else ""
    return shortened(f"{where}{plain(reason_of(error))}", _LONGEST)


@click.group(cls=_LazyGroup)
@click.version_option(package_name="edgeseg")
def main() -> None:
    """Semantic segmentation on small computers.

    A Keras model becomes an int8 TFLite file that scores like the float one
    (`convert`), and runs on the board (`run`).
    """
    open_closed_streams()
    show_any_text()
    _show_warnings()


def _show_warnings() -> None:
    """Send the package's warnings to standard error, one line each."""
    logger = logging.getLogger("edgeseg")
    logger.handlers = [_StderrHandler()]
    logger.propagate = False


class _StderrHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        text = shortened(plain(record.getMessage()), _LONGEST)
        click.echo(f"{record.levelname.capitalize()}: {text}", err=True)
