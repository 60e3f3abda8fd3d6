"""Other ways to run the same network, in the same run: one file a peer.

Each file defines ``PLUGIN``, a `Peer`. What runs in a peer's own environment is in
``_workers``; it knows nothing of edgeseg.
"""

from edgeseg.benchmarks.studies.peers.peers import Peer, Step
from edgeseg.devices.plugins import PluginFolder

PEERS = PluginFolder("peer", "edgeseg.benchmarks.studies.peers")

__all__ = ["PEERS", "Peer", "Step"]
