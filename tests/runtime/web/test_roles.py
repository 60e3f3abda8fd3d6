"""A viewer's token and an operator's: who may look, and who may change."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("uvicorn", reason="needs the extra `web`")

OPERATOR, VIEWER = "token-of-the-operator", "token-of-the-viewer"
READING = ("/", "/snapshot.jpg", "/mask.png", "/api/state", "/metrics", "/openapi.json")


@pytest.fixture
def run(start, monkeypatch):
    monkeypatch.setenv("EDGESEG_TOKEN", OPERATOR)
    monkeypatch.setenv("EDGESEG_VIEW_TOKEN", VIEWER)
    return start("web:127.0.0.1:0")


def by_cookie(run, token):
    answer, _ = run.ask(f"/?token={token}")
    assert (answer.status, answer.getheader("location")) == (303, "./")
    cookies = [v for k, v in answer.getheaders() if k.lower() == "set-cookie"]
    kept = [c.partition(";")[0] for c in cookies if "Max-Age=0" not in c]
    assert len(kept) == 1
    assert all("HttpOnly" in c and "SameSite=strict" in c for c in cookies)
    assert not any("path=" in c.lower() or "Secure" in c for c in cookies)
    return {"cookie": kept[0]}


def by_bearer(run, token):
    return {"authorization": f"Bearer {token}"}


def by_query(run, token):
    return {}


def change(run, path="/api/look", **shown):
    body = json.dumps({"legend": True})
    answer, content = run.ask(
        path, "POST", body, content_type="application/json", **shown
    )
    return answer.status, json.loads(content)


@pytest.mark.parametrize("way", [by_cookie, by_bearer])
@pytest.mark.parametrize(
    ("token", "role"), [(OPERATOR, "operator"), (VIEWER, "viewer")]
)
def test_who_shows_a_token_has_its_role(run, way, token, role):
    shown = way(run, token)
    for path in READING:
        assert run.ask(path, **shown)[0].status == 200, path
    assert json.loads(run.ask("/api/state", **shown)[1])["role"] == role
    status, told = change(run, **shown)
    if role == "operator":
        assert (status, told["legend"]) == (200, True)
    else:
        assert status == 403
        assert "operator" in told["error"]
        assert "EDGESEG_TOKEN" in told["error"]
    as_operator = by_bearer(run, OPERATOR)
    state = json.loads(run.ask("/api/state", **as_operator)[1])
    assert state["look"]["legend"] is (role == "operator")


def test_a_token_in_the_address_has_its_role_too(run):
    assert change(run, f"/api/look?token={OPERATOR}")[0] == 200
    assert change(run, f"/api/look?token={VIEWER}")[0] == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_viewer_has_no_method_that_changes(run, method):
    answer, _ = run.ask("/api/look", method, "{}", **by_bearer(run, VIEWER))
    assert answer.status == 403


def test_a_viewers_cookie_is_no_operators(run):
    name, _, value = by_cookie(run, VIEWER)["cookie"].partition("=")
    own = by_cookie(run, OPERATOR)["cookie"]
    assert name.replace("_view", "") == own.partition("=")[0]
    assert (
        run.ask("/api/state", cookie=f"{own.partition('=')[0]}={value}")[0].status
        == 401
    )
    both = f"{own}; {name}={value}"
    assert json.loads(run.ask("/api/state", cookie=both)[1])["role"] == "operator"


def test_without_a_token_nobody_sees_anything(run):
    for path in READING:
        assert run.ask(path)[0].status == 401
    assert change(run)[0] == 401


def test_with_a_viewers_token_alone_nobody_changes_anything(start, monkeypatch):
    monkeypatch.delenv("EDGESEG_TOKEN", raising=False)
    run = start(f"web:0.0.0.0:0?view_token={VIEWER}")
    shown = by_bearer(run, VIEWER)
    assert run.ask("/snapshot.jpg", **shown)[0].status == 200
    assert change(run, **shown)[0] == 403
    assert change(run)[0] == 401


def test_without_tokens_whoever_can_connect_is_an_operator(live):
    assert live.state()["role"] == "operator"


def test_a_wrong_token_is_in_the_log_once_and_without_the_token(run, caplog):
    for _ in range(3):
        assert run.ask("/?token=a-wrong-guess-1")[0].status == 401
        assert run.ask("/", **by_bearer(run, "a-wrong-guess-2"))[0].status == 401
    words = [record.getMessage() for record in caplog.records]
    assert words == ["web: a wrong token came from 127.0.0.1"]
