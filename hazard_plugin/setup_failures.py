"""What can go wrong in the engine's set-up: every failure is recognised by what was said and has its own remedy."""

import errno
import re
from typing import Dict, List, Mapping, Optional, Sequence, Tuple
from urllib.parse import urlsplit

from qgis.PyQt.QtCore import QCoreApplication

from ..engine import protocol

WINDOWS_DENIED = (5, 32, 33, 225)
"""Access denied, in use by another program (twice), and taken for a virus."""

WINDOWS_FULL = (39, 112)


FIELDS = ("folder", "needed", "path", "version", "theirs", "ours", "pid", "host")
"""What a sentence may name, beside ``detail``."""


class SetupFailed(protocol.HazardError):
    """The set-up cannot go on; the message is one sentence and a remedy.

    Attributes:
        kind: one of the keys of ``sentences()``.
        detail: what was really said, for the report.
    """

    def __init__(self, kind: str, detail: str = "", **values: str) -> None:
        self.kind = kind
        self.detail = detail
        filled = dict.fromkeys(FIELDS, "")
        filled.update(detail=last_words(detail), **values)
        super().__init__(sentences()[kind].format(**filled))


PATTERNS: Tuple[Tuple[str, str], ...] = (
    ("disk_full", r"No space left on device|Errno 28\b|Errno 122\b|Disk quota exceeded|WinError 112"),
    ("disk_full", r"not enough space on the disk"),
    ("certificate", r"CERTIFICATE_VERIFY_FAILED|certificate verify failed|problem confirming the ssl certificate"),
    ("certificate", r"Could not find a suitable TLS CA certificate bundle|invalid path: .*(cert|pem)"),
    ("proxy", r"ProxyError|Cannot connect to proxy|Tunnel connection failed|Proxy Authentication Required"),
    ("proxy", r"Missing dependencies for SOCKS support|Please check proxy URL"),
    ("hash", r"THESE PACKAGES DO NOT MATCH THE HASHES|Expected sha256"),
    ("long_path", r"Windows Long Path support|WinError 206|File name too long"),
    ("no_venv", r"No module named '?(ensurepip|venv|pip)\b|ensurepip is not\s+available|ensurepip is disabled"),
    ("read_only", r"Read-only file system|Errno 30\b"),
    ("denied", r"Permission denied|Errno 13\b|Access is denied|WinError (5|32|33|225)\b"),
    ("denied", r"being used by another process|contains a virus|potentially unwanted software"),
    ("blocked", r"Not a directory: |Unable to create directory|File exists: |Errno 20\b|Errno 17\b"),
    ("no_network", r"NewConnectionError|NameResolutionError|Failed to establish a new connection"),
    ("no_network", r"Temporary failure in name resolution|getaddrinfo failed|Name or service not known"),
    ("no_network", r"Network is unreachable|Connection refused|Connection aborted|Connection reset|IncompleteRead"),
    ("no_network", r"ReadTimeoutError|ConnectTimeoutError|Read timed out"),
    ("no_network", r"nodename nor servname|RemoteDisconnected|Max retries exceeded|No route to host"),
    ("forbidden", r"(401|403|429|5\d\d) (Client|Server) Error|HTTP error (401|403|404|429|5\d\d)"),
    ("no_wheel", r"No matching distribution found|is not a supported wheel on this platform|Could not find a version"),
    ("conflict", r"ResolutionImpossible|conflicting dependencies|dependency conflicts"),
    ("driver_old", r"NVIDIA driver on your system is too old|driver version is insufficient|CUDA driver version"),
    ("gpu", r"no kernel image is available|not compatible with the current PyTorch|CUDA-capable device"),
)  # fmt: skip
"""In the order in which they are looked for: the cause before what follows from it."""


def sentences() -> Dict[str, str]:
    """What is said of each kind of failure."""
    return {
        "disk_full": tr(
            "The disk is full; {needed} have to be free at '{folder}': make room or choose another folder, then go on "
            "where it stopped."
        ),
        "certificate": tr(
            "The certificate of the package server is not trusted, often because a firewall reads along; give pip the "
            "certificate of your institution (pip config set global.cert FILE), then try again. It is never skipped."
        ),
        "proxy": tr(
            "The proxy refuses or does not answer; set it right for pip (pip config set global.proxy "
            "http://NAME:PORT, or the variable HTTPS_PROXY), then try again."
        ),
        "no_network": tr(
            "The package server cannot be reached; check the connection and try again, or install from a folder that "
            "was made on another computer."
        ),
        "forbidden": tr(
            "The package server refuses the request ({detail}); try again later, or install from a folder that was "
            "made on another computer."
        ),
        "hash": tr(
            "A file is not what was promised (its hash differs); try again, and tell your network's operator if it "
            "stays so."
        ),
        "no_wheel": tr(
            "There is no ready-made package for this computer and Python ({detail}); choose the build for the "
            "processor, or name another Python (3.10 or later, 64 bit)."
        ),
        "conflict": tr("The packages do not go together with those of QGIS ({detail}); name another Python."),
        "no_venv": tr(
            "This Python cannot make environments, because its module venv or ensurepip is missing; on Debian or "
            "Ubuntu run 'sudo apt install python3-venv', then try again, or name another Python."
        ),
        "read_only": tr("'{folder}' cannot be written to; choose another folder for the engine."),
        "denied": tr(
            "Access to '{folder}' is denied, often by an antivirus program or a file in use; close other QGIS "
            "windows, allow the folder there, or choose another folder, then go on where it stopped."
        ),
        "blocked": tr("There is a file where the folder '{folder}' has to be; move it away or choose another folder."),
        "long_path": tr(
            "The folder's path is too long for Windows; choose a shorter one such as C:\\hazard, or switch on long "
            "paths in Windows."
        ),
        "no_python": tr("QGIS's own Python was not found; name a Python (3.10 or later, 64 bit) that has GDAL."),
        "python_old": tr(
            "QGIS's Python is {version}, PyTorch needs 3.10 or later; name a newer Python that has GDAL, or update "
            "QGIS."
        ),
        "python_32": tr("This Python is a 32 bit program, for which there is no PyTorch; name a 64 bit one."),
        "python_broken": tr("'{path}' does not answer as a Python ({detail}); name another one."),
        "gdal": tr(
            "This Python has no working GDAL ({detail}); name the Python that QGIS uses, or one with the package "
            "GDAL (on Debian or Ubuntu: python3-gdal)."
        ),
        "torch": tr("PyTorch or a package beside it does not load ({detail}); repair the engine."),
        "driver_old": tr(
            "The NVIDIA driver is too old for this build ({detail}); update the driver, or choose the build for the "
            "processor."
        ),
        "gpu": tr("The GPU does not compute ({detail}); update its driver, or choose the build for the processor."),
        "numbers": tr("The device gives wrong numbers ({detail}); choose the build for the processor."),
        "proof": tr("The new engine failed its proof ({detail}); repair it, and send the report if that fails too."),
        "bundle": tr("The folder is no complete bundle ({detail}); make it again with python -m engine.bundle."),
        "bundle_other": tr("The bundle is for {theirs}, this computer needs {ours}; make one for it."),
        "locked": tr("Another QGIS (process {pid} on {host}) is setting up the engine; wait for it or close it."),
        "silent": tr("The set-up gave no sign of life for {detail} s and was stopped; go on where it stopped."),
        "busy": tr("The engine is at work in '{folder}'; wait for the run to end or cancel it, then go on."),
        "unknown": tr("The set-up failed ({detail}); try again, and send the report if it fails again."),
    }


def recognise(text: str, variables: Optional[Mapping[str, str]] = None) -> Optional[str]:
    """Kind of the failure that a command's words tell of; ``variables`` are those it ran with."""
    for kind, pattern in PATTERNS:
        if re.search(pattern, text, re.IGNORECASE):
            return "proxy" if kind == "no_network" and blames_proxy(text, variables or {}) else kind
    return None


def blames_proxy(text: str, variables: Mapping[str, str]) -> bool:
    """Whether it is a proxy that cannot be reached: since pip 26 only the host that is named tells."""
    proxies = [value for name, value in variables.items() if re.fullmatch(r"(?i)(https?|all|pip)_proxy", name)]
    return any(re.search(rf"(?i)host='{re.escape(host)}'", text) for host in map(host_of, proxies) if host)


def host_of(proxy: str) -> str:
    """Host of a proxy's address, which may lack its scheme; empty if it is none."""
    try:
        return urlsplit(proxy if "//" in proxy else f"//{proxy}").hostname or ""
    except ValueError:
        return ""


def kind_of_error(error: OSError) -> str:
    """Kind of a failure that the system reported."""
    windows = getattr(error, "winerror", None)
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", -1)) or windows in WINDOWS_FULL:
        return "disk_full"
    if error.errno == errno.EROFS:
        return "read_only"
    if error.errno in (errno.EACCES, errno.EPERM) or windows in WINDOWS_DENIED:
        return "denied"
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        return "blocked"
    if error.errno == errno.ENAMETOOLONG or windows == 206:
        return "long_path"
    return recognise(str(error)) or "unknown"


def last_words(text: str, limit: int = 200) -> str:
    """The line of an output that says most: the last error, else the last line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors: Sequence[str] = [line for line in lines if re.match(r"(ERROR|Error|\w+Error)\b", line)]
    said = (list(errors) or lines or [tr("no reason was given")])[-1]
    return re.sub(r"^ERROR:\s*", "", said).rstrip(".")[:limit]


def kinds() -> List[str]:
    """Every kind there is."""
    return list(sentences())


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("SetupFailures", text)
