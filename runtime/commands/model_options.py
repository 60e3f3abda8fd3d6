"""The options of `model ...`: what is installed, and what runs it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeseg.runtime.commands.options import (
    MODEL,
    PATH,
    DeviceSettings,
    FloatRange,
    option,
)

if TYPE_CHECKING:
    from edgeseg.runtime.installation.announcement import Announcement
    from edgeseg.runtime.installation.install import Order
    from edgeseg.runtime.installation.supervising import Supervisor
    from edgeseg.runtime.installation.trial import Conditions


@dataclass(frozen=True, kw_only=True)
class RestartSettings:
    """What runs the model, and how long it is watched."""

    service: str | None = option(
        "--service",
        metavar="NAME",
        help="Restart this service of edgeseg, and watch it.",
    )
    system: bool = option(
        "--system",
        default=False,
        is_flag=True,
        help="The service is the machine's, not this user's.",
    )
    restart: str | None = option(
        "--restart",
        metavar="COMMAND",
        help="Restart what runs the model with a command, in place of --service.",
    )
    health: str | None = option(
        "--health",
        metavar="URL|COMMAND",
        help="How to see that it is healthy: an address that answers 200, such as "
        "http://127.0.0.1:8080/healthz, or a command that ends with 0.",
    )
    watch: float = option(
        "--watch",
        default=30.0,
        type=FloatRange(0, 3600),
        show_default=True,
        metavar="SECONDS",
        help="How long it may take to be healthy, and then has to stay so.",
    )

    def supervisor(self) -> Supervisor | None:
        """Return what restarts and watches, None where nothing does."""
        from edgeseg.runtime.installation.supervising import supervisor_of

        keys = ("service", "system", "restart", "health")
        return supervisor_of({key: getattr(self, key) for key in keys})


@dataclass(frozen=True, kw_only=True)
class TrialSettings(RestartSettings, DeviceSettings):
    """What a model has to fulfil, and how many versions stay."""

    check: Path | None = option(
        "--check",
        type=MODEL,
        metavar="REF",
        help="Compare labels with another model, with a folder made by edgeseg "
        "reference, or with label maps.  [default: with the model in use]",
    )
    least: float = option(
        "--least",
        default=0.985,
        type=FloatRange(0, 1),
        show_default=True,
        metavar="SHARE",
        help="Share of labels that must be equal.",
    )
    pictures: Path | None = option(
        "--pictures",
        type=PATH,
        metavar="DIR",
        help="Pictures to try it on.  [default: pictures/ beside the installed model, "
        "else those that come with edgeseg]",
    )
    slower: float = option(
        "--slower",
        default=1.25,
        type=FloatRange(0, min_open=True),
        show_default=True,
        metavar="FACTOR",
        help="Multiple of the time of the model in use that it may take (p90, both "
        "measured in turns).",
    )
    signer: Path | None = option(
        "--signer",
        type=PATH,
        metavar="FILE",
        help="Allowed signers, as for ssh-keygen -Y verify.  [default: "
        "allowed_signers beside the models, where it is there]",
    )
    keep: int = option(
        "--keep",
        default=3,
        type=click.IntRange(1, 100),
        show_default=True,
        help="Versions that stay.",
    )

    @property
    def conditions(self) -> Conditions:
        """What it has to fulfil."""
        from edgeseg.runtime.installation.trial import Conditions

        return Conditions(
            self.check,
            self.least,
            self.slower,
            self.pictures,
            self.device,
            self.threads,
        )

    def offered(self, offer: Announcement) -> Order:
        """Return what is to be installed of an announcement."""
        from edgeseg.runtime.installation.install import Order

        return Order(
            offer.url,
            offer.sha256,
            offer.version,
            self.signer,
            offer.signature,
            self.conditions,
            self.keep,
            self.watch,
        )


@dataclass(frozen=True, kw_only=True)
class InstallSettings(TrialSettings):
    """What is installed, and what it has to fulfil."""

    sha256: str = option(
        "--sha256",
        metavar="HEX",
        required=True,
        default="",
        help="Hash that the file must have; edgeseg info shows it.",
    )
    name: str | None = option(
        "--name", help="Name to install it by.  [default: the file's own]"
    )
    version: str = option(
        "--version",
        default="",
        metavar="TEXT",
        help="What its maker calls it.  [default: how its hash begins]",
    )
    signature: str = option(
        "--signature",
        default="",
        metavar="FILE|URL",
        help="Signature by ssh-keygen -Y sign -n edgeseg.  [default: the model's "
        "address with .sig]",
    )

    def order(self, source: str) -> Order:
        """Return what is to be installed."""
        from edgeseg.runtime.installation.fetching import check_sha256
        from edgeseg.runtime.installation.install import Order

        return Order(
            source,
            check_sha256(self.sha256),
            self.version,
            self.signer,
            self.signature,
            self.conditions,
            self.keep,
            self.watch,
        )
