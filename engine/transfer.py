"""Fetches one file over HTTP: resumes, retries, checks size and MD5, and never follows an address off the web."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import IO, Any

from . import __version__
from .protocol import BadInput, Cancelled, OutputFailed
from .records import RemoteFile
from .reporting import Report

BLOCK_BYTES = 2**18
TIMEOUT_S = 60.0
TRIES = 6
"""Attempts in a row that bring nothing before it is given up."""
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
AGENT = f"hazard-mapper/{__version__}"
LARGEST_LISTING_BYTES = 4 * 2**20
TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)


class _WebOnly(urllib.request.HTTPRedirectHandler):
    """Follows redirects to http and https only, and never from https to http."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> urllib.request.Request | None:
        """The request to follow; raises BadInput for one that is not to be followed."""
        before, after = urllib.parse.urlsplit(req.full_url).scheme, urllib.parse.urlsplit(newurl).scheme
        if after not in ("http", "https") or (before == "https" and after != "https"):
            raise BadInput(
                f"The server sends on to '{newurl[:100]}', which is no secure web address; use another server."
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


@dataclass(frozen=True)
class ListedFile:
    """A file as a server's own listing describes it."""

    name: str
    size: int
    md5: str
    address: str


class _Interrupted(Exception):
    """The connection ended early; another attempt may go on."""

    def __init__(self, reason: str, pause_s: float | None = None) -> None:
        super().__init__(reason)
        self.pause_s = pause_s


def require_web_address(url: str) -> str:
    """Return an http or https address; raise BadInput for anything else."""
    try:
        parts = urllib.parse.urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and url.isascii()
    except ValueError:  # such as half of an IPv6 address
        known = False
    if not known:
        raise BadInput(f"'{url[:100]}' is not a web address; expected http:// or https://.")
    return url


def part_of(folder: Path, file: RemoteFile) -> Path:
    """Name under which a file is kept until it is complete."""
    return folder / f"{file.name}.part"


def fetch_listing(url: str) -> list[ListedFile] | None:
    """Files of a server that answers with a record as Zenodo's interface gives it; None if it does not.

    A mirror that only holds the files has no such listing: then the published sizes and checksums count.

    Raises:
        BadInput: when the listing names files that could land outside the folder, or lacks sizes or checksums.
    """
    headers = {"User-Agent": AGENT, "Accept": "application/json"}
    request = urllib.request.Request(require_web_address(url), headers=headers)  # noqa: S310 - only http and https
    try:
        with _opener().open(request, timeout=TIMEOUT_S) as answer:
            if "json" not in str(answer.headers.get("Content-Type", "")):
                return None
            found = json.loads(answer.read(LARGEST_LISTING_BYTES))
    except urllib.error.HTTPError:
        return None
    except (OSError, http.client.HTTPException) as error:
        raise BadInput(f"The server '{url}' does not answer ({_reason(error)}); check the address.") from None
    except ValueError:
        return None
    rows = found.get("files") if isinstance(found, dict) else None
    if not isinstance(rows, list) or not rows:
        return None
    return [_listed(row, url) for row in rows]


def _listed(row: Any, url: str) -> ListedFile:
    try:
        name, size, checksum = str(row["key"]), int(row["size"]), str(row["checksum"])
        address = str(row.get("links", {}).get("self") or f"{url}/{urllib.parse.quote(name)}")
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BadInput(f"The listing of '{url}' lacks names, sizes or checksums; use another server.") from None
    md5 = checksum.removeprefix("md5:").lower()
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._ -]*", name) or not re.fullmatch(r"[0-9a-f]{32}", md5) or size < 0:
        raise BadInput(
            f"The listing of '{url}' names the file '{name[:60]}', which cannot be right; use another server."
        )
    return ListedFile(name, size, md5, require_web_address(address))


class Transfer:
    """Brings one file from a server into a folder.

    Args:
        base: address under which the file is, unless the file has its own.
        file: what is to arrive.
        folder: where to; the part of it that has arrived lies there as ``<name>.part``.
        report: told how far it is, asked whether to go on.
        span: first and last share of the whole operation that this file stands for.
    """

    def __init__(
        self, base: str, file: RemoteFile, folder: Path, report: Report, span: tuple[float, float] = (0.0, 1.0)
    ) -> None:
        self.url = file.address or f"{base}/{urllib.parse.quote(file.name)}"
        self.file, self.report, self.span = file, report, span
        self.part = part_of(folder, file)
        self.final = folder / file.name
        self._digest = hashlib.md5(usedforsecurity=False)
        self._have = 0

    def run(self) -> None:
        """Fetch what is missing, check it and give it its final name.

        Raises:
            BadInput: when the server refuses, keeps failing, or what arrived is not the published file.
            OutputFailed: when it cannot be written.
            Cancelled: when the user stops it; what has arrived stays for the next time.
        """
        try:
            self._take_up()
            self.report.stage(f"Downloading {self.file.name}", self.span[0])
            self._fetch_all()
        except Cancelled:
            raise Cancelled(
                f"Cancelled; {self._have} of {self.file.size} bytes of '{self.file.name}' are kept, and the same "
                "command goes on from there."
            ) from None
        if self._digest.hexdigest() != self.file.md5:
            self.part.unlink(missing_ok=True)
            raise BadInput(
                f"'{self.file.name}' arrived with the checksum {self._digest.hexdigest()}, published is "
                f"{self.file.md5}; it was deleted: run the command again, or use another server."
            )
        try:
            os.replace(self.part, self.final)
        except OSError as error:
            raise OutputFailed(f"'{self.final}' cannot be written ({error.strerror}); choose another folder.") from None
        self._mark.unlink(missing_ok=True)

    @property
    def _mark(self) -> Path:
        """Beside a part: which version of the file on the server it belongs to."""
        return self.part.with_name(self.part.name + ".version")

    def _take_up(self) -> None:
        """Digest what an earlier run has left; a part that is too long is none."""
        try:
            size = self.part.stat().st_size
        except OSError:
            return
        if size > self.file.size:
            self._start_over()
            return
        self.report.stage(f"Checking what is there of {self.file.name}", self.span[0])
        try:
            with self.part.open("rb") as stream:
                while block := stream.read(BLOCK_BYTES):
                    self.report.check()
                    self._digest.update(block)
                    self._have += len(block)
                    self.report.progress(self._have / self.file.size, *self.span)
        except OSError as error:
            raise OutputFailed(f"'{self.part}' cannot be read ({error.strerror}); delete it.") from None

    def _start_over(self) -> None:
        self.part.unlink(missing_ok=True)
        self._mark.unlink(missing_ok=True)
        self._digest = hashlib.md5(usedforsecurity=False)
        self._have = 0

    def _fetch_all(self) -> None:
        """Ask again, with growing pauses, until all has arrived or nothing comes any more."""
        failures = 0
        while self._have < self.file.size or not self.part.exists():
            before = self._have
            try:
                self._fetch()
                continue
            except _Interrupted as error:
                failures = 0 if self._have > before else failures + 1
                if failures >= TRIES:
                    raise BadInput(
                        f"'{self.file.name}' stops coming from {self.url} ({error}); {self._have} bytes are kept: run "
                        "the same command later to go on."
                    ) from None
                pause = error.pause_s or FIRST_PAUSE_S * 2 ** min(failures, 6)
            until = time.monotonic() + min(pause, LONGEST_PAUSE_S)
            while time.monotonic() < until:
                self.report.check()
                time.sleep(min(0.1, FIRST_PAUSE_S))

    def _fetch(self) -> None:
        """One request for all that is missing; raises _Interrupted when less than that arrives."""
        headers = {"User-Agent": AGENT, "Accept-Encoding": "identity"}
        request = urllib.request.Request(self.url, headers=headers)  # noqa: S310 - only http and https
        if self._have:
            request.add_header("Range", f"bytes={self._have}-")
            if version := self._version():
                request.add_header("If-Range", version)
        try:
            with _opener().open(request, timeout=TIMEOUT_S) as answer:
                self._require_place(answer)
                self._receive(answer)
        except urllib.error.HTTPError as error:
            error.close()
            self._refused(error)
        except urllib.error.URLError as error:
            if isinstance(error.reason, ssl.SSLCertVerificationError):
                raise BadInput(
                    f"The server of {self.url} cannot prove who it is ({error.reason.verify_message}); nothing was "
                    "taken from it: use another network or server."
                ) from None
            raise _Interrupted(_reason(error)) from None
        except OutputFailed:
            raise
        except (http.client.HTTPException, OSError) as error:  # a network that went away is no ConnectionError
            raise _Interrupted(_reason(error)) from None
        if self._have < self.file.size:
            raise _Interrupted("the connection ended early")

    def _require_place(self, answer: Any) -> None:
        """Begin anew if the server sends the whole file; raise BadInput if its file has another size."""
        if answer.status == 206:
            place = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", str(answer.headers.get("Content-Range", "")).strip())
            if place is None or int(place[1]) != self._have:
                self._start_over()
                raise _Interrupted("the server sent another part than was asked for")
            total = None if place[2] == "*" else int(place[2])
        else:
            if self._have:
                self._start_over()
                self.report.log(f"'{self.file.name}' begins anew: the server cannot go on in the middle of it.")
            length = answer.headers.get("Content-Length")
            total = int(length) if length and length.isdigit() else None
        if total is not None and total != self.file.size:
            raise BadInput(
                f"'{self.file.name}' has {total} bytes at {self.url}, published are {self.file.size}; use another "
                "server."
            )
        version = answer.headers.get("ETag") or answer.headers.get("Last-Modified")
        try:
            if version and not version.startswith("W/"):
                self._mark.write_text(version, "utf-8")
            else:
                self._mark.unlink(missing_ok=True)
        except OSError as error:
            raise _unwritable(self.part, error) from None

    def _receive(self, answer: Any) -> None:
        try:
            stream = self.part.open("ab")
        except OSError as error:
            raise _unwritable(self.part, error) from None
        with stream:
            while block := answer.read1(min(BLOCK_BYTES, self.file.size - self._have + 1)):
                if self._have + len(block) > self.file.size:
                    raise BadInput(
                        f"More bytes of '{self.file.name}' come from {self.url} than the published {self.file.size}; "
                        "use another server."
                    )
                try:
                    stream.write(block)
                    stream.flush()
                except OSError as error:
                    raise _unwritable(self.part, error) from None
                self._digest.update(block)
                self._have += len(block)
                self.report.progress(self._have / max(self.file.size, 1), *self.span)

    def _refused(self, error: urllib.error.HTTPError) -> None:
        if error.code == 416:  # what is here is not a part of what is there
            self._start_over()
            raise _Interrupted("the server has no such part") from None
        if error.code in TRY_AGAIN:
            wait = str(error.headers.get("Retry-After") or "")
            raise _Interrupted(f"HTTP {error.code}", float(wait) if wait.isdigit() else None) from None
        raise BadInput(
            f"The server does not give '{self.file.name}' (HTTP {error.code} {error.reason} for {self.url}); check the "
            "address, or try later."
        ) from None

    def _version(self) -> str | None:
        try:
            return self._mark.read_text("utf-8").strip() or None
        except (OSError, ValueError):
            return None


def _opener() -> urllib.request.OpenerDirector:
    """Speaks http and https and nothing else; certificates are checked as the system does."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _WebOnly(),
    ):
        opener.add_handler(handler)
    return opener


def _unwritable(path: Path, error: OSError) -> OutputFailed:
    return OutputFailed(
        f"'{path}' cannot be written ({error.strerror}); what has arrived is kept: make room and go on."
    )


def _reason(error: BaseException) -> str:
    reason = getattr(error, "reason", None) or error
    return " ".join(str(reason).split())[:120] or type(error).__name__
