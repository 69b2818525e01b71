"""Names proposed over the network: asked for with masked text, taken only when they keep the rules."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from pydantic import ValidationError

from flows.config import Naming
from flows.name_endpoint import name_proposer
from pipeline.themes.naming import ThemeName, ThemeSample, with_proposals

SAMPLE = ThemeSample("配達", ("配達", "遅い"), ("配達が遅い", "[氏名]さんが来ない"))


@pytest.fixture
def server():
    """A local endpoint that answers what `answers` holds and keeps what it was asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.server.asked.append((self.path, json.loads(body), self.headers.get("Authorization")))
            status, content = self.server.answers.pop(0)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        http.asked, http.answers = [], []
        thread = threading.Thread(target=http.serve_forever, daemon=True)
        thread.start()
        yield http
        http.shutdown()
        thread.join()


def says(name):
    return 200, json.dumps({"choices": [{"message": {"content": name}}]}).encode()


def ask(server, *answers, timeout=5.0):
    server.answers = list(answers)
    propose = name_proposer(f"http://127.0.0.1:{server.server_port}/v1/", "small", timeout)
    return propose([SAMPLE] * len(answers))


def test_without_an_endpoint_nothing_is_asked():
    assert name_proposer(None, "", 1.0) is None


def test_the_endpoint_gets_masked_text_and_answers_a_name(server, monkeypatch):
    monkeypatch.setenv("KIKITORI_NAMING_KEY", "secret")
    assert ask(server, says("「配達の遅れ」\n")) == ["配達の遅れ"]
    ((path, body, authorization),) = server.asked
    assert (path, body["model"], body["temperature"], authorization) == ("/v1/chat/completions", "small", 0, "Bearer secret")
    assert "[氏名]さんが来ない" in body["messages"][1]["content"]


@pytest.mark.parametrize("answer", [(500, b""), (200, b"not json"), (200, b"{}"), (200, b'{"choices": []}')])
def test_any_failure_is_no_proposal(server, answer):
    assert ask(server, answer) == [None]


def test_an_endpoint_that_is_not_there_is_no_proposal():
    assert name_proposer("http://127.0.0.1:9/v1", "small", 0.5)([SAMPLE]) == [None]


PROPOSALS = [
    ("配達の遅れ", "配達の遅れ"), (None, "配達"), ("あ" * 21, "配達"), ("", "配達"), ("[氏名]の対応", "配達"), ("12345", "配達"),
    ("アプリ", "配達"), ("利用", "配達"), ("配達が\n遅い", "配達"), ("こちらが名前です: 配達", "配達"), ("配達の遅れ。他にも", "配達"),
]  # fmt: skip


@pytest.mark.parametrize(("proposed", "name"), PROPOSALS)
def test_a_proposal_that_breaks_a_rule_leaves_the_name(proposed, name):
    names = [ThemeName("配達", ("配達",), ()), ThemeName("アプリ", ("アプリ",), ())]
    found = with_proposals(names, [0], [SAMPLE], lambda _: [proposed])
    assert [found[0].name, found[1].name] == [name, "アプリ"]
    assert found[0].keywords == ("配達",)


@pytest.mark.parametrize("endpoint", ["ftp://host/v1", "file:///etc/passwd", "host"])
def test_an_endpoint_must_be_an_http_address(endpoint):
    with pytest.raises(ValidationError, match="http"):
        Naming(endpoint=endpoint)
