"""What a browser gets from ``kikitori serve``: Prefect's UI and the published reports, and nothing from elsewhere."""

import mimetypes
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SHOWN = (".html", ".xlsx", ".md", ".json", ".csv")
"""Files of a published folder; the database and the key lie beside them."""


class OwnOrigin:
    """Answers only requests for this machine's own names, and lets a page ask nobody but this server.

    Prefect's newer UI asks an analytics host from the browser, whatever the server's settings say.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self.app, self.hosts = app, hosts
        sockets = " ".join(f"ws://{host}" for host in sorted(hosts))
        self.policy = "; ".join((
            "default-src 'self'",
            f"connect-src 'self' {sockets}",
            "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "worker-src 'self' blob:",
            "frame-ancestors 'none'",
        ))  # fmt: skip

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if Headers(scope=scope).get("host", "") not in self.hosts:  # a name that an attacker's page points to us
            if scope["type"] == "http":
                await PlainTextResponse("no such host here", status_code=421)(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008})
            return

        async def with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
                if "content-security-policy" not in headers:
                    headers["Content-Security-Policy"] = self.policy
            await send(message)

        await self.app(scope, receive, with_policy)


def reports(folders: Mapping[str, Path]) -> Mount:
    """Return the route under which the published folders are read: ``/reports/<deployment>/…``."""

    async def page(request: Request) -> Response:
        folder = folders.get(request.path_params["name"])
        place = unquote(request.path_params["path"]) or "index.html"
        parts = Path(place).parts
        hidden = any(part.startswith(".") for part in parts) or Path(place).suffix not in SHOWN
        if folder is None or hidden:
            return PlainTextResponse("no such page", status_code=404)
        found = (folder / place).resolve()
        if not found.is_relative_to(folder.resolve()) or not found.is_file():
            return PlainTextResponse("no such page", status_code=404)
        return FileResponse(found, media_type=mimetypes.guess_type(found.name)[0] or "text/plain")

    return Mount("/reports", app=Starlette(routes=[Route("/{name}/{path:path}", page)]))
