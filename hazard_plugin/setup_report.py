"""The diagnostic report of the engine's set-up, without names, addresses and secrets."""

import getpass
import json
import os
import platform
import re
import socket
import sys
from typing import Any, Dict, Sequence

from qgis.core import Qgis
from qgis.PyQt.QtCore import QCoreApplication

from .settings import load_setting
from .setup_plan import Plan, read_catalogue

TOLD_VARIABLES = re.compile(r"(?i)^(pip_|.*_proxy$|ssl_cert|requests_ca|curl_ca|python|virtual_env|gdal|proj|cuda)")
PUBLIC_HOSTS = ("download.pytorch.org", "pypi.org", "files.pythonhosted.org", "docs.nvidia.com", "github.com")


def make_report(state: Dict[str, Any], plan: Plan, lines: Sequence[str]) -> str:
    """What helps to find out why a set-up failed, as text that may be sent to a stranger."""
    failure = state.get("failure") or {}
    installed = state.get("installed") or {}
    parts = [
        tr("Hazard Mapper: report of the engine's set-up"),
        f"QGIS {Qgis.QGIS_VERSION}, Python {platform.python_version()}, {platform.platform()}, {platform.machine()}",
        f"state {state.get('state')}, step {state.get('step')}, done {', '.join(state.get('done') or [])}",
        f"failure {failure.get('kind')} at {failure.get('step')}: {failure.get('sentence')}",
        f"plan {plan.build.name} from {plan.wheels or plan.index or 'the package index'} into {plan.root}",
        f"python {plan.python}, sys.executable {sys.executable}",
        f"chosen python {load_setting('engine_python')!r}",
        "installed " + json.dumps({key: value for key, value in installed.items() if key != "freeze"}),
        "packages " + ", ".join(installed.get("freeze") or []),
        "requirements " + ", ".join(plan.requirements),
        *(f"{name}={value}" for name, value in sorted(os.environ.items()) if TOLD_VARIABLES.match(name)),
        tr("Last lines:"),
        *(list(lines) or list(failure.get("tail") or [])),
    ]
    return redacted("\n".join(parts)) + "\n"


def redacted(text: str) -> str:
    """Text without user name, home folder, host names, addresses, credentials and tokens."""
    text = re.sub(r"(?i)\b([a-z][a-z0-9+.-]*://)([^\s/'\"<>]+)", _redacted_address, text)
    text = re.sub(r"(?i)((?:token|passw(?:or)?d|secret|api_?key|authorization)\w*['\"]?\s*[=:]\s*)(\S+( \S{16,})?)",
                  r"\1<secret>", text)  # fmt: skip
    text = re.sub(r"(?im)^(\w*_proxy=).+$", r"\1<proxy>", text)
    text = re.sub(r"(?i)(host=|proxy[^\n]{0,40}?)(['\"]?)[\w.-]+\.[a-z]{2,}", _redacted_host, text)
    text = re.sub(r"\b(?!127\.0\.0\.1\b)\d{1,3}(?:\.\d{1,3}){3}\b(?![.\w])", "<address>", text)
    for home in {os.path.expanduser("~"), os.path.realpath(os.path.expanduser("~")), os.environ.get("USERPROFILE", "")}:
        if len(home) > 1:
            text = re.sub(re.escape(home).replace(r"\\", r"[\\/]+"), "~", text, flags=re.IGNORECASE)
    for name, stands_for in ((user_name(), "<user>"), (socket.gethostname(), "<host>")):
        if len(name) > 1:
            text = re.sub(rf"(?i)(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", stands_for, text)
    return text


def user_name() -> str:
    """Name of the user's account; empty where the system does not tell."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""


def _redacted_address(match: "re.Match[str]") -> str:
    host = match[2].rsplit("@", 1)[-1]
    public = host.lower() in PUBLIC_HOSTS or host in read_catalogue()["index"]
    return f"{match[1]}{host if public and '@' not in match[2] else '<address>'}"


def _redacted_host(match: "re.Match[str]") -> str:
    host = match[0][len(match[1]) + len(match[2]) :]
    return match[0] if host.lower() in PUBLIC_HOSTS else f"{match[1]}{match[2]}<host>"


def tr(text: str) -> str:
    """Translate."""
    return QCoreApplication.translate("SetupReport", text)
