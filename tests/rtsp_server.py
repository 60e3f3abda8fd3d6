"""A small RTSP server with a test picture: ``/usr/bin/python3 rtsp_server.py [PORT]``.

Needs Debian's gir1.2-gst-rtsp-server-1.0 and python3-gi under the system's Python,
and one of the encoders x264enc and openh264enc. Prints ``ready PORT`` once it serves
``rtsp://127.0.0.1:PORT/test``; ends with SIGTERM. Port 0, the default, is any free one.

Options: ``--pattern red`` and other patterns of videotestsrc, ``--size 322x240``,
``--user eve:secret``, ``--audio``.
"""

from __future__ import annotations

import argparse
import signal
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

ENCODERS = {
    "x264enc": "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15",
    "openh264enc": "openh264enc gop-size=15",
}
AUDIO = "audiotestsrc is-live=true ! alawenc ! rtppcmapay name=pay1"


def main():
    options = parsed()
    Gst.init(None)
    encoder = next((e for name, e in ENCODERS.items() if has(name)), None)
    if encoder is None:
        sys.exit("no H.264 encoder: install gstreamer1.0-plugins-ugly")
    width, height = options.size.split("x")
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_shared(True)
    factory.set_launch(
        f"( videotestsrc is-live=true pattern={options.pattern} "
        f"! video/x-raw,format=I420,width={width},height={height},framerate=30/1 "
        f"! {encoder} ! rtph264pay name=pay0 config-interval=1 "
        f"{AUDIO if options.audio else ''} )"
    )
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(options.port))
    if options.user:
        protect(server, factory, *options.user.split(":"))
    server.get_mount_points().add_factory("/test", factory)
    server.attach(None)
    loop = GLib.MainLoop()
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGTERM, loop.quit)
    print("ready", server.get_bound_port(), flush=True)
    loop.run()


def parsed():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int, nargs="?", default=0)
    parser.add_argument("--pattern", default="smpte")
    parser.add_argument("--size", default="320x240")
    parser.add_argument("--user")
    parser.add_argument("--audio", action="store_true")
    return parser.parse_args()


def has(element):
    return Gst.ElementFactory.find(element) is not None


def protect(server, factory, user, password):
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    basic = GstRtspServer.RTSPAuth.make_basic(user, password)
    auth.add_basic(basic, token)
    server.set_auth(auth)
    factory.add_role_from_structure(
        Gst.Structure.from_string(
            "user,media.factory.access=true,media.factory.construct=true"
        )[0]
    )


if __name__ == "__main__":
    main()
