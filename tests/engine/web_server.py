"""A small web server on this machine that misbehaves as asked, for tests of downloads."""

import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Site:
    """Files by name and how the server behaves; ``asked`` keeps the path and the Range of each request."""

    files: dict = field(default_factory=dict)
    knows_ranges: bool = True
    version: str = '"1"'
    breaks_after: list = field(default_factory=list)
    """For each request in turn: after how many bytes the connection ends; None for not at all."""
    refuses_with: list = field(default_factory=list)
    """For each request in turn: an HTTP status instead of the file; None for none."""
    moved: dict = field(default_factory=dict)
    listing: dict | None = None
    asked: list = field(default_factory=list)
    url: str = ""

    def list_like_zenodo(self):
        """Answer at the root with a record as Zenodo's interface gives it."""
        self.listing = {
            "files": [
                {
                    "key": name,
                    "size": len(content),
                    "checksum": "md5:" + hashlib.md5(content).hexdigest(),
                    "links": {"self": f"{self.url}/{name}"},
                }
                for name, content in self.files.items()
            ]
        }


class _Handler(BaseHTTPRequestHandler):
    site: Site

    def do_GET(self):
        site, name = self.site, self.path.lstrip("/")
        if not name:
            content = json.dumps(site.listing).encode() if site.listing else b"<html></html>"
            self._head(200, len(content), "application/json" if site.listing else "text/html")
            self.wfile.write(content)
            return
        wanted = self.headers.get("Range")
        site.asked.append((name, wanted))
        if name in site.moved:
            self.send_response(302)
            self.send_header("Location", site.moved[name])
            self.end_headers()
            return
        status = site.refuses_with.pop(0) if site.refuses_with else None
        if status or name not in site.files:
            self.send_error(status or 404)
            return
        content, first = site.files[name], 0
        same = self.headers.get("If-Range") in (None, site.version)
        if wanted and site.knows_ranges and same:
            first = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])
            if first >= len(content):
                self.send_error(416)
                return
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - first))
        self.send_header("ETag", site.version)
        self.end_headers()
        end = site.breaks_after.pop(0) if site.breaks_after else None
        self.wfile.write(content[first : None if end is None else first + end])

    def _head(self, status, length, kind):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *words):
        pass


def serve(site):
    """Start serving a site at a free port; returns the server, whose ``shutdown`` ends it."""
    handler = type("Handler", (_Handler,), {"site": site})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    site.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True, kwargs={"poll_interval": 0.02}).start()
    return server
