"""What ten thousand boards and a hundred million pictures cost, from few figures."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeseg.devices.types import Json

_HOUR_S = 3600.0


@dataclass(frozen=True)
class Fleet:
    """Boards, and what was measured of one.

    Parameters
    ----------
    boards : int
        Of them.
    every_s : float
        Between two states of a board.
    state_bytes : float
        Topic and payload of a state.
    greeting_messages, greeting_bytes : float
        That a board publishes when it connects.
    broker_bytes : float
        Memory of the broker a board.
    broker_core_s : float
        Processor time of the broker a message that is passed on once.
    model_bytes : float
        Of a model file.
    link_bytes_s : float
        Of the server that models are fetched from.
    ansible_s, forks : float
        Seconds a board when a playbook changes it, and boards at a time.
    """

    boards: int
    every_s: float
    state_bytes: float
    greeting_messages: float
    greeting_bytes: float
    broker_bytes: float
    broker_core_s: float
    model_bytes: float = 2.6e6
    link_bytes_s: float = 125e6
    ansible_s: float = 60.0
    forks: float = 25.0

    def costs(self) -> Json:
        """Return what they cost."""
        rate = self.boards / self.every_s
        overhead = 40 + 8  # IP and TCP headers, MQTT's: bytes a packet
        return {
            "messages_a_second": rate,
            "bytes_a_second_in": rate * (self.state_bytes + overhead),
            "bytes_a_day_in": rate * (self.state_bytes + overhead) * 24 * _HOUR_S,
            "broker_cores": rate * self.broker_core_s,
            "broker_bytes": self.boards * self.broker_bytes,
            "messages_when_all_come_back": self.boards * self.greeting_messages,
            "bytes_when_all_come_back": self.boards * self.greeting_bytes,
            "model_bytes": self.boards * self.model_bytes,
            "model_hours": self.boards * self.model_bytes / self.link_bytes_s / _HOUR_S,
            "ansible_hours": self.boards / self.forks * self.ansible_s / _HOUR_S,
        }


@dataclass(frozen=True)
class Archive:
    """Pictures, and what was measured of one.

    Parameters
    ----------
    pictures : int
        Of them.
    core_s : float
        Processor seconds a picture, decoding and writing included.
    picture_bytes, mask_bytes, row_bytes : float
        Read and written a picture.
    cores : int
        That work on it.
    """

    pictures: int
    core_s: float
    picture_bytes: float
    mask_bytes: float
    row_bytes: float = 120.0
    cores: int = 1000

    def costs(self) -> Json:
        """Return what they cost."""
        core_hours = self.pictures * self.core_s / _HOUR_S
        hours = core_hours / self.cores
        read = self.pictures * self.picture_bytes
        return {
            "core_hours": core_hours,
            "hours": hours,
            "bytes_read": read,
            "bytes_written": self.pictures * (self.mask_bytes + self.row_bytes),
            "bytes_a_second_read": read / (hours * _HOUR_S),
            "files_written": self.pictures,
        }


def on_paper(fleet: Fleet, archive: Archive) -> Json:
    """Return both, with what they were computed from."""
    return {
        "fleet": {"from": asdict(fleet), **fleet.costs()},
        "archive": {"from": asdict(archive), **archive.costs()},
    }
