"""What a fleet costs: ``python -m edgeseg.benchmarks.studies.fleet RECORD.json``.

Runs simulated boards against a real mosquitto on this machine, and computes from what
was measured what ten thousand boards and a hundred million pictures cost. Costs of a
picture and of a playbook are measured elsewhere: ``--picture-core-ms``,
``--picture-bytes``, ``--mask-bytes`` and ``--ansible-s`` name them. What tests
have noted in the record (``EDGESEG_RECORD``, see the tests' README) stays in it.

Run from a checkout; see `edgeseg.benchmarks.studies`.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import click

from edgeseg.benchmarks.record import write_record
from edgeseg.benchmarks.studies.conversions import machine
from edgeseg.benchmarks.studies.fleet.paper import Archive, Fleet, on_paper
from edgeseg.benchmarks.studies.fleet.simulation import simulate
from edgeseg.runtime.json_text import json_text


@click.command()
@click.argument("target", type=click.Path(path_type=Path), metavar="RECORD.json")
@click.option("--boards", default=1000, show_default=True)
@click.option("--every", default=1.0, show_default=True, help="Seconds between states.")
@click.option("--seconds", default=30.0, show_default=True, help="Watched at rest.")
@click.option("--late", default=0.1, show_default=True, help="Share without power.")
@click.option("--paper-boards", default=10_000, show_default=True)
@click.option("--paper-every", default=30.0, show_default=True)
@click.option("--pictures", default=100_000_000, show_default=True)
@click.option("--picture-core-ms", default=40.0, show_default=True)
@click.option("--picture-bytes", default=100e3, show_default=True)
@click.option("--mask-bytes", default=4e3, show_default=True)
@click.option("--ansible-s", default=60.0, show_default=True)
@click.option("--cores", default=1000, show_default=True)
def main(
    target: Path,
    boards: int,
    every: float,
    seconds: float,
    late: float,
    paper_boards: int,
    paper_every: float,
    pictures: int,
    picture_core_ms: float,
    picture_bytes: float,
    mask_bytes: float,
    ansible_s: float,
    cores: int,
) -> None:
    """Write the record."""
    measured = simulate(boards, every, seconds, late)
    connecting, rest = measured["connecting"], measured["at_rest"]
    fleet = Fleet(
        boards=paper_boards,
        every_s=paper_every,
        state_bytes=rest["bytes_a_message"],
        greeting_messages=connecting["messages"] / boards,
        greeting_bytes=connecting["bytes"] / boards,
        broker_bytes=connecting["broker_bytes_a_board"],
        broker_core_s=rest["broker_core_share"] / rest["messages_a_second"],
        ansible_s=ansible_s,
    )
    archive = Archive(
        pictures=pictures,
        core_s=picture_core_ms / 1000,
        picture_bytes=picture_bytes,
        mask_bytes=mask_bytes,
        cores=cores,
    )
    noted = json.loads(target.read_text("utf-8")) if target.exists() else {}
    record = {
        **noted,
        "machine": machine(),
        "versions": {"edgeseg": version("edgeseg"), "paho-mqtt": version("paho-mqtt")},
        "simulation": measured,
        "paper": on_paper(fleet, archive),
    }
    write_record(target, record)
    click.echo(json_text(record, indent=2))


if __name__ == "__main__":
    main()
