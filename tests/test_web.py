"""What the server hands out beside Prefect's UI: reports, and nothing that lies beside them."""

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from flows.web import OwnOrigin, reports


@pytest.fixture
def client(tmp_path):
    out = tmp_path / "out"
    for place in ("2026-11-22/report.html", "index.html", "kikitori.db", ".kikitori-key", ".prefect/x.json", "explore/1/.responses.json"):
        (out / place).parent.mkdir(parents=True, exist_ok=True)
        (out / place).write_text("見出し", encoding="utf-8")
    (tmp_path / "secret.html").write_text("秘密", encoding="utf-8")
    (out / "link.html").symlink_to(tmp_path / "secret.html")
    app = Starlette(routes=[reports({"shop": out}), Route("/ui", lambda request: PlainTextResponse("ui"))])
    return TestClient(OwnOrigin(app, frozenset({"127.0.0.1:4200"})), base_url="http://127.0.0.1:4200")


def test_published_pages_are_read(client):
    assert client.get("/reports/shop/2026-11-22/report.html").text == "見出し"
    assert client.get("/reports/shop/").text == "見出し"


@pytest.mark.parametrize(
    "place",
    ["shop/kikitori.db", "shop/.kikitori-key", "shop/.prefect/x.json", "shop/explore/1/.responses.json", "shop/../secret.html",
     "shop/%2e%2e/secret.html", "shop/..%2fsecret.html", "shop/link.html", "shop/2026-11-22", "other/index.html", "shop//etc/passwd.html"],
)  # fmt: skip
def test_nothing_else_is(client, place):
    answer = client.get(f"/reports/{place}")
    assert answer.status_code == 404 and "秘密" not in answer.text


def test_a_page_may_ask_nobody_but_this_server(client):
    policy = client.get("/ui").headers["content-security-policy"]
    assert "default-src 'self'" in policy and "connect-src 'self' ws://127.0.0.1:4200;" in policy


def test_another_name_for_this_machine_is_not_answered(client):
    assert client.get("/ui", headers={"Host": "attacker.example"}).status_code == 421
