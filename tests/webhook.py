"""A chat room on this machine: an HTTP server that keeps what it is sent."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer


class Room:
    """What arrived, and what to answer."""

    def __init__(self):
        self.received = []
        self.status = 200
        self.arrived = threading.Condition()

    def wait_for(self, n, seconds=60):
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.received) >= n, timeout=seconds), self.received
        return self.received


@contextmanager
def chat_room():
    """Open the room; its ``url`` is its webhook's address."""
    room = Room()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(room.status)
            self.end_headers()
            with room.arrived:
                room.received.append(sent)
                room.arrived.notify_all()

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    room.url = f"http://127.0.0.1:{server.server_port}/hook/secret-token"
    try:
        yield room
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
