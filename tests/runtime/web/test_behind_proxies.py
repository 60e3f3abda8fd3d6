"""The page in a real browser, behind a real nginx and Caddy, under a path."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

TOKEN, VIEWER = "token-behind-a-proxy", "token-of-a-viewer-there"
NGINX = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{}}
http {{
  access_log off;
  {temporary}
  server {{
    listen 127.0.0.1:{port} {ssl};
    {location}
  }}
}}
"""
CADDY = """
{{
  admin off
  auto_https off
  skip_install_trust
}}
{scheme}://127.0.0.1:{port} {{
  {tls}
  {location}
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def recipe(root, name):
    """Return the lines of a recipe in the chapter "Behind a proxy" of the README."""
    text = (root / "runtime/README.md").read_text("utf-8")
    chapter = text[text.index("### Behind a proxy") :]
    return re.search(rf"```{name}\n(.*?)```", chapter, re.DOTALL)[1]


class Proxy:
    """A server of its own program, at a port of its own."""

    def __init__(self, command, port, until, log):
        self.port, self.log = port, log
        with log.open("wb") as said:
            self.process = subprocess.Popen(command, stdout=said, stderr=said)
        until(self.listens)

    def listens(self):
        assert self.process.poll() is None, self.log.read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def close(self):
        self.process.terminate()
        self.process.wait()


@pytest.fixture
def certificate(tmp_path):
    if not shutil.which("openssl"):
        pytest.skip("needs the program openssl")
    names = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=door.example", "-out", names[0], "-keyout", names[1]]
    command += ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(command, check=True, capture_output=True)
    return names


@pytest.fixture
def proxy(tmp_path, until, certificate):
    started = []

    def start(program, location, tls=False):
        if not shutil.which(program):
            pytest.skip(f"needs the program {program}")
        port, (cert, key) = free_port(), certificate
        config = tmp_path / f"{program}.conf"
        if program == "nginx":
            folders = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
            config.write_text(
                NGINX.format(
                    folder=tmp_path,
                    port=port,
                    location=location,
                    user="user root;" if Path("/proc/self").stat().st_uid == 0 else "",
                    temporary="\n".join(
                        f"{name}_temp_path {tmp_path}/{name};" for name in folders
                    ),
                    ssl=f"ssl; ssl_certificate {cert}; ssl_certificate_key {key}"
                    if tls
                    else "",
                )
            )
            command = ["nginx", "-c", config, "-p", tmp_path, "-e", tmp_path / "e.log"]
        else:
            config.write_text(
                CADDY.format(
                    port=port,
                    location=location,
                    scheme="https" if tls else "http",
                    tls=f"tls {cert} {key}" if tls else "",
                )
            )
            command = ["caddy", "run", "--adapter", "caddyfile", "--config", config]
        started.append(Proxy(command, port, until, tmp_path / f"{program}.out"))
        return f"{'https' if tls else 'http'}://127.0.0.1:{port}"

    yield start
    for one in started:
        one.close()


def upstream(run):
    return f"127.0.0.1:{urlsplit(run.sink.url).port}"


# what stands for a proxy that takes the path off, and for one that does not
BARE = {
    ("nginx", True): "location /door/ {{ proxy_pass http://{0}/; }}",
    ("nginx", False): "location /door {{ proxy_pass http://{0}; }}",
    ("caddy", True): "handle_path /door/* {{\n reverse_proxy {0}\n }}",
    ("caddy", False): "handle /door* {{\n reverse_proxy {0}\n }}",
}


@pytest.mark.parametrize(("program", "strips"), sorted(BARE))
def test_all_of_the_page_works_under_a_path(
    start, proxy, visit, until, program, strips
):
    root = "" if strips else "&root_path=/door"
    run = start(f"web:127.0.0.1:0?token={TOKEN}&proxies=127.0.0.1{root}")
    place = proxy(program, BARE[program, strips].format(upstream(run)))
    check_page(run, visit(f"{place}/door/?token={TOKEN}"), f"{place}/door/", until)
    if not strips:
        assert visit(f"{place}/door?token={TOKEN}").page.url == f"{place}/door/"


def check_page(run, seen, url, until, secure=False):
    """Check redirect, cookie, picture, stream, controls and snapshot."""
    assert seen.page.url == url
    (cookie,) = seen.page.context.cookies()
    assert cookie["path"] == urlsplit(url).path.rstrip("/")
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert cookie["secure"] is secure
    first = seen.picture()
    until(lambda: (np.abs(seen.picture() - first).max(axis=2) > 40).sum() > 200)
    assert run.sink._feed.watchers == 1  # the stream, not stills
    seen.page.get_by_label("Effect").select_option("mask")
    until(lambda: run.sink._feed.look.effect == "mask")
    with seen.page.expect_download() as downloaded:
        seen.page.get_by_role("link", name="Save snapshot").click()
    assert Path(downloaded.value.path()).read_bytes()[:2] == b"\xff\xd8"
    assert seen.complaints == []
    assert all(asked.startswith(url) for asked in seen.requests[1:])


@pytest.mark.parametrize("program", ["nginx", "caddy"])
def test_the_recipe_of_the_readme_with_tls(start, proxy, visit, until, root, program):
    run = start(f"web:127.0.0.1:0?token={TOKEN}&view_token={VIEWER}&proxies=127.0.0.1")
    location = recipe(root, program).replace("127.0.0.1:8080", upstream(run))
    place = proxy(program, location, tls=True)
    seen = visit(f"{place}/door?token={TOKEN}")
    check_page(run, seen, f"{place}/door/", until, secure=True)
    viewer = visit(f"{place}/door/?token={VIEWER}")
    viewer.wait("!document.querySelector('#viewer').hidden")
    assert not viewer.page.locator("#effect").is_visible()


def own_address():
    """Return an address of this machine that is not loopback, or skip."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.77", 9))
        except OSError:
            pytest.skip("needs a network")
        return probe.getsockname()[0]


INGRESS = """
location = /favicon.ico {{ return 204; }}
location = /lovelace {{ default_type text/html; return 200 '<iframe
  src="/api/hassio_ingress/abc/" width="900" height="700"></iframe>'; }}
location /api/hassio_ingress/abc/ {{
  proxy_pass http://{0}/;
  proxy_set_header Host $http_host;
  proxy_set_header X-Ingress-Path /api/hassio_ingress/abc;
  proxy_set_header X-Forwarded-Host $http_host;
  proxy_set_header X-Forwarded-Proto $scheme;
  proxy_set_header X-Forwarded-For "192.0.2.9, 172.30.32.1";
  proxy_buffering off;
}}
location = /api/hassio_ingress/abc/stream.mjpg {{
  proxy_pass http://{0}/stream.mjpg;
  proxy_hide_header Content-Type;
  default_type multipart/x-mixed-replace;
  proxy_buffering off;
}}
"""


def test_in_a_frame_as_home_assistants_ingress_shows_it(start, proxy, browser, until):
    """The Supervisor takes the path off, and the stream's boundary, too."""
    address = own_address()
    run = start(f"web:0.0.0.0:0?proxies={address}&proxies_only=yes")
    port = urlsplit(run.sink.url).port
    place = proxy("nginx", INGRESS.format(f"{address}:{port}"))
    page = browser.new_page()
    complaints = []
    page.on("console", lambda said: complaints.append(said.text))
    page.goto(f"{place}/lovelace")
    frame = page.frames[1]
    until(lambda: frame.locator("#status").inner_text() == "Live")
    pictures = set()

    def moves():
        pictures.add(frame.locator("#live").screenshot(timeout=15_000))
        return len(pictures) > 3

    until(moves, 40)
    frame.get_by_label("Effect").select_option("mask")
    until(lambda: run.sink._feed.look.effect == "mask")
    assert page.context.cookies() == []
    assert complaints == []
    page.close()
    assert run.ask("/")[0].status == 403  # not through the proxy
