"""``edgeseg remote``: a board over SSH."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeseg.runtime.commands.options import PATH, option, settings_options

if TYPE_CHECKING:
    from collections.abc import Callable

    from edgeseg.runtime.remote.calls import CommandLine, RemoteCall
    from edgeseg.runtime.remote.deploying import Wanted
    from edgeseg.runtime.remote.session import Session


# all that this command does not know is the board's command's own
_PASS_ON = {"ignore_unknown_options": True}


_RECORD = click.option(
    "-o",
    "--output",
    "--json",
    "record",
    type=PATH,
    metavar="FILE",
    help="Where the record goes here.  [default: MODEL--HOST--VERB.json]",
)
_RUN = click.argument("name", metavar="[RUN]", required=False)
_ARGUMENTS = click.argument("arguments", nargs=-1, type=click.UNPROCESSED)


@dataclass(frozen=True, kw_only=True)
class DeploySettings:
    """What is deployed to a board."""

    offline: bool = option(
        "--offline",
        default=False,
        is_flag=True,
        help="Fetch what the wheel needs here and copy it: the board needs no "
        "internet.",
    )
    wheel: Path | None = option(
        "--wheel",
        type=PATH,
        metavar="FILE",
        help="Deploy this wheel.  [default: the edgeseg that runs here]",
    )
    extras: tuple[str, ...] = option(
        "--extra",
        default=(),
        multiple=True,
        metavar="NAME",
        help="Install an extra there too: web, video or mqtt.",
    )
    system_packages: bool = option(
        "--system-packages",
        default=False,
        is_flag=True,
        help="Let it see packages of the board's own Python, such as Picamera2.",
    )

    @property
    def wanted(self) -> Wanted:
        """The same, as a deployment takes it."""
        from edgeseg.runtime.remote.deploying import Wanted

        return Wanted(
            self.wheel,
            tuple(dict.fromkeys(self.extras)),
            offline=self.offline,
            system=self.system_packages,
        )


class _RemoteGroup(click.Group):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] in self.commands:  # in the place of the host
            verb = args[0]
            raise click.UsageError(f"which board? edgeseg remote USER@HOST {verb}", ctx)
        return super().parse_args(ctx, args)


@click.group(cls=_RemoteGroup)
@click.argument("host", metavar="USER@HOST")
@click.option("-p", "--port", type=click.IntRange(1, 65535), help="Port of sshd there.")
@click.option(
    "-i", "--identity", type=PATH, metavar="FILE", help="Private key to log in with."
)
@click.option(
    "-F", "--config", type=PATH, metavar="FILE", help="Configuration file of ssh."
)
@click.option(
    "--python",
    metavar="PATH",
    help="Python to use there.  [default: python3, or a newer one beside it]",
)
@click.pass_context
def remote(
    context: click.Context,
    /,
    host: str,
    port: int | None,
    identity: Path | None,
    config: Path | None,
    python: str | None,
) -> None:
    """Deploy to a board over SSH, and run and measure there.

    \b
    edgeseg remote pi@raspberrypi.local deploy model.tflite
    edgeseg remote pi@raspberrypi.local bench model.tflite --quick
    edgeseg remote pi@raspberrypi.local eval model.tflite VOC2012/
    edgeseg remote pi@raspberrypi.local run model.tflite photos/ -o overlays/
    edgeseg remote pi@raspberrypi.local run animals camera:0 --web 0.0.0.0:8080 --detach
    edgeseg remote pi@raspberrypi.local logs --follow

    USER@HOST is what `ssh` takes: a name, an address, or an alias of its
    configuration. A key must be set up (ssh-copy-id) and the board's host key
    accepted once by hand; passwords are never asked for. There, Python 3.10 or later
    with venv is enough. All of it is in ~/.local/share/edgeseg/remote.
    """  # noqa: D301 (click needs the character itself)
    from edgeseg.runtime.remote.address import BoardAddress

    context.obj = BoardAddress(host, port, identity, config), python


@remote.command(short_help="Copy edgeseg and models there, and examine the board.")
@click.argument("models", nargs=-1)
@settings_options(DeploySettings)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def deploy(
    context: click.Context,
    /,
    models: tuple[str, ...],
    as_json: bool,
    settings: DeploySettings,
) -> None:
    """Copy edgeseg and models there, and look whether the board is fit for them.

    What is there already is not copied again, and a copy that was cut goes on where
    it was. The exit code is that of `edgeseg doctor` there.
    """
    from edgeseg.runtime.remote.steps import deploy_models

    with _session(context) as session:
        code = deploy_models(session, settings.wanted, models, as_json=as_json)
    context.exit(code)


@remote.command(context_settings=_PASS_ON)
@_ARGUMENTS
@_RECORD
@settings_options(DeploySettings)
@click.pass_context
def bench(
    context: click.Context,
    /,
    arguments: tuple[str, ...],
    record: Path | None,
    settings: DeploySettings,
) -> None:
    """Measure there how long a picture takes, and bring the record here.

    ARGUMENTS are those of `edgeseg bench`: MODEL, perhaps SOURCE, and its options.
    A model or pictures that are here are copied first.
    """
    from edgeseg.runtime.remote.calls import bench_call

    _measure(context, "bench", bench_call, arguments, record, settings)


@remote.command(
    "eval",
    context_settings=_PASS_ON,
    short_help="Score a model there on pictures with truth.",
)
@_ARGUMENTS
@_RECORD
@settings_options(DeploySettings)
@click.pass_context
def evaluate(
    context: click.Context,
    /,
    arguments: tuple[str, ...],
    record: Path | None,
    settings: DeploySettings,
) -> None:
    """Score a model there on pictures with truth, and bring the record here.

    ARGUMENTS are those of `edgeseg eval`: MODEL, DATASET and its options. Of the data
    set the pictures and masks of the split are copied first.
    """
    from edgeseg.runtime.remote.calls import eval_call

    _measure(context, "eval", eval_call, arguments, record, settings)


@remote.command(context_settings=_PASS_ON)
@_ARGUMENTS
@click.option(
    "--detach",
    is_flag=True,
    help="Leave it running there; see `logs` and `stop`. Its files stay there.",
)
@settings_options(DeploySettings)
@click.pass_context
def run(
    context: click.Context,
    /,
    arguments: tuple[str, ...],
    detach: bool,
    settings: DeploySettings,
) -> None:
    """Run a model there, and bring the files that it writes here.

    ARGUMENTS are those of `edgeseg run`: MODEL, SOURCE, and its options. Pictures and
    videos that are here are copied first; a camera or stream is the board's own.
    Ctrl-C ends it there.
    """
    from edgeseg.runtime.capture.open import find_source
    from edgeseg.runtime.commands.run_options import WEB_OUTPUT
    from edgeseg.runtime.remote.calls import CommandLine, extras_of, run_call
    from edgeseg.runtime.remote.steps import run_attached, run_detached

    line = CommandLine(_command("run"), _name(context, "run"), arguments)
    if "config" in line:
        raise click.UsageError("--config is for runs on this machine: give options")
    outputs = [*(line["outputs"] or ()), *([WEB_OUTPUT] if "web" in line else ())]
    source = find_source(line["source"])
    packages = source is not None and source.kind.system_packages
    settings = replace(
        settings,
        extras=(*settings.extras, *extras_of(outputs)),
        system_packages=settings.system_packages or packages,
    )
    act = run_detached if detach else run_attached
    with _session(context) as session:
        code = act(session, settings.wanted, lambda: run_call(session, line))
    context.exit(code)


@remote.command(short_help="Show what a run there printed.")
@_RUN
@click.option("-f", "--follow", is_flag=True, help="Go on until the run ends.")
@click.option(
    "-n",
    "--lines",
    type=click.IntRange(0, 100_000),
    default=50,
    show_default=True,
    help="How many of the last lines to show, 1 MB of them at most.",
)
@click.pass_context
def logs(context: click.Context, /, name: str | None, follow: bool, lines: int) -> None:
    """Show what a run there printed, and whether it still runs.

    RUN is its name; without it the newest that still runs, else the newest.
    """
    from edgeseg.runtime.remote.steps import show_logs

    with _session(context) as session:
        show_logs(session, name, lines, follow=follow)


@remote.command(short_help="End a run there.")
@_RUN
@click.pass_context
def stop(context: click.Context, /, name: str | None) -> None:
    """End a run there in order; kill it where it does not end.

    RUN is its name; without it the newest that still runs.
    """
    from edgeseg.runtime.remote.steps import stop_run

    with _session(context) as session:
        stop_run(session, name)


def _measure(
    context: click.Context,
    verb: str,
    call: Callable[[Session, CommandLine, Path], RemoteCall],
    arguments: tuple[str, ...],
    record: Path | None,
    settings: DeploySettings,
) -> None:
    """Run a command that leaves a record."""
    from edgeseg.runtime.pictures.atomic import check_writable
    from edgeseg.runtime.remote.calls import CommandLine, record_name
    from edgeseg.runtime.remote.steps import run_attached

    line = CommandLine(_command(verb), _name(context, verb), arguments)
    host = context.obj[0].host
    place = record or record_name(verb, line["model"], host)
    check_writable(place)
    with _session(context) as session:
        code = run_attached(
            session, settings.wanted, lambda: call(session, line, place)
        )
    context.exit(code)


def _command(name: str) -> click.Command:
    """Return one of edgeseg's commands; those of the layers above are only named."""
    from edgeseg.runtime.cli import main

    command = main.get_command(click.Context(main), name)
    if command is None:
        raise LookupError(name)
    return command


def _name(context: click.Context, verb: str) -> str:
    return f"edgeseg remote {context.obj[0].host} {verb}"


def _session(context: click.Context) -> Session:
    from edgeseg.runtime.remote.session import Session

    address, python = context.obj
    return Session(address, python=python, report=_report)


def _report(text: str) -> None:
    click.echo(text, err=True)
