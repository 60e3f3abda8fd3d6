"""New models that a fleet's topic announces: offered, and installed when asked for.

Whatever is published, nothing is done but `install`: a file with the announced hash,
signed where the board asks for that, which does as well as the model in use.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import random
import re
import time
from typing import TYPE_CHECKING

from edgeseg.devices import EdgesegError, InputError
from edgeseg.devices.plain_text import one_line
from edgeseg.runtime.installation.announcement import Announcement
from edgeseg.runtime.installation.install import Order, install
from edgeseg.runtime.installation.recovery import in_order
from edgeseg.runtime.installation.store import InstalledModel
from edgeseg.runtime.output.mqtt_address import parse_address
from edgeseg.runtime.output.mqtt_broker import Broker
from edgeseg.runtime.output.mqtt_discovery import Topics
from edgeseg.runtime.output.mqtt_options import MqttOptions, with_password
from edgeseg.runtime.output.mqtt_update import UpdateEntity

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edgeseg.runtime.installation.supervising import Supervisor
    from edgeseg.runtime.pipeline.stopping import Stop

_log = logging.getLogger(__name__)
_EXPECTED = "mqtt://user@homeassistant.local/edgeseg/door?update=edgeseg/fleet"
_NUMBERS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})*")
_LOOK_S = 2.0  # between two looks at what is installed, and at the flag to stop


class Follower:
    """Listens to a fleet's topic for one installed model.

    Parameters
    ----------
    text : str
        ``mqtt://[USER@]HOST[:PORT]/PREFIX?update=TOPIC``; PREFIX is that of the run.
    model : InstalledModel
        The name; it need not be installed yet.
    order_of : callable
        Returns what is to be installed, and under which conditions.
    supervisor : Supervisor or None
        What runs the model.
    delay_s : float or None
        Install what is announced without being asked, after a random time of up to this
        many seconds, so that a fleet does not ask one server at one moment; None
        waits to be asked.

    Raises
    ------
    InputError
        It is no such address.
    """

    def __init__(
        self,
        text: str,
        model: InstalledModel,
        order_of: Callable[[Announcement], Order],
        supervisor: Supervisor | None,
        *,
        delay_s: float | None = None,
    ) -> None:
        self._tls = text.startswith("mqtts://")
        address = parse_address(text, _EXPECTED)
        self._options = MqttOptions.of(address, tls=self._tls)
        prefix, fleet = address.path, self._options.update
        if not text.startswith(("mqtt://", "mqtts://")) or not (prefix and fleet):
            raise InputError(f"expected an address such as {_EXPECTED}")
        if re.search("[#+\0]", prefix + fleet + self._options.discovery):
            raise InputError("mqtt: a topic cannot hold #, + or a zero byte")
        self._address = with_password(address, self._options.password_file)
        self._model, self._order_of = model, order_of
        self._supervisor, self._delay_s = supervisor, delay_s
        self._due_s: float | None = None  # when the offer is installed by itself
        self._offer: Announcement | None = None
        self._tried: Announcement | None = None
        self._summary = ""
        # what the network thread hears: an announcement, or None for the button
        self._heard: queue.Queue[str | None] = queue.Queue(64)
        self._entity = UpdateEntity(
            Topics(prefix, self._options.discovery),
            fleet,
            self._options.name or prefix.rpartition("/")[2],
            model.name,
            self._hear,
            lambda: self._hear(None),
        )

    def follow(self, stop: Stop) -> None:
        """Listen until asked to stop."""
        with in_order(self._store, _log.warning):
            self._show(busy=False)
        with Broker(
            self._address,
            tls=self._tls,
            cafile=self._options.cafile,
            will=self._entity.will,
            greet=self._entity.greet,
            denied=lambda topic, why: _log.warning("%s: %s", topic, why),
            commands=self._entity,
        ) as broker:
            while not stop.asked:
                with contextlib.suppress(queue.Empty):
                    payload = self._heard.get(timeout=_LOOK_S)
                    if payload is None:
                        self._try(broker)
                    else:
                        self._announced(payload)
                if self._due_s is not None and time.monotonic() >= self._due_s:
                    self._try(broker)
                if self._show(busy=False):
                    self._entity.publish(broker)

    def _hear(self, payload: str | None) -> None:
        try:
            self._heard.put_nowait(payload)
        except queue.Full:
            _log.warning("too much is announced at once: some of it is left out")

    def _announced(self, payload: str) -> None:
        if not payload:  # how a kept message is taken back
            self._offer = self._due_s = None
            self._summary = ""
            return
        try:
            offer = Announcement.parse(payload)
        except InputError as error:
            self._offer = self._due_s = None
            self._summary = one_line(error)
            _log.warning("not an offer: %s", self._summary)
            return
        if offer.name == self._model.name and offer != self._offer:
            self._offer, self._summary, self._due_s = offer, "", None
            # one that fell short is tried again only where somebody asks
            if self._delay_s is not None and offer != self._tried:
                self._set_time(offer, self._delay_s)

    def _set_time(self, offer: Announcement, delay_s: float) -> None:
        """Choose when an offer is installed, unless it is in use."""
        if self._is_used(offer):
            return
        wait_s = random.uniform(0, delay_s)
        self._due_s = time.monotonic() + wait_s
        if delay_s:
            self._summary = f"will be installed in {wait_s:.0f} s"
            _log.info("%s %s", offer.version, self._summary)

    def _try(self, broker: Broker) -> None:
        """Install the offer, if there is one that is not in use."""
        self._due_s, offer = None, self._offer
        if offer is None or self._is_used(offer):
            return
        self._tried = offer
        self._show(busy=True)
        self._entity.publish(broker)
        self._install(offer)

    def _install(self, offer: Announcement) -> None:
        try:
            with in_order(self._store, _log.warning):
                order = self._order_of(offer)
                install(self._model, order, self._supervisor, _log.info)
            self._summary = f"installed {offer.version}"
        except (EdgesegError, OSError, MemoryError) as error:
            self._summary = f"not installed: {one_line(error)}"
            _log.warning("%s %s", offer.version, self._summary)

    @property
    def _store(self) -> Path:
        return self._model.folder.parent

    def _is_used(self, offer: Announcement) -> bool:
        path = self._model.model()
        return path is not None and path.parent.name[:64] == offer.sha256

    def _show(self, *, busy: bool) -> bool:
        path = self._model.model()
        about = {} if path is None else self._model.about(path.parent.name)
        installed, latest = about.get("version"), None
        offer = self._offer
        if offer is not None and not self._is_used(offer):
            latest = offer.version
            if installed is not None and not _is_higher(latest, installed):
                latest = f"{latest} ({offer.sha256[:12]})"
        return self._entity.show(installed, latest, self._summary, busy=busy)


def _is_higher(version: str, than: str) -> bool:
    """Return whether both are numbers, and one is higher.

    Home Assistant offers no version that it takes for an older one, such as that
    before; it cannot compare one with something in parentheses, and offers it.

    Examples
    --------
    >>> _is_higher("1.10", "1.9"), _is_higher("1", "1"), _is_higher("2-rc", "1")
    (True, False, False)
    """
    if not (_NUMBERS.fullmatch(version) and _NUMBERS.fullmatch(than)):
        return False
    new, old = (list(map(int, text.split("."))) for text in (version, than))
    return new > old
