"""Checks the zip of the plugin as the plugin repository, plugins.qgis.org, does on upload.

``python3 tests/package/check_package.py build/hazard_mapper-VERSION.zip`` prints every defect and ends with 1 if there
is one. What is checked is what the site's public code checks (https://github.com/qgis/QGIS-Plugins-Website):

* ``qgis-app/plugins/validator.py`` refuses an upload over 25 MB, with ``..`` or absolute paths, ``.pyc`` files,
  ``__MACOSX``, ``.git`` or ``__pycache__`` folders, damaged members, no folder that is a Python identifier, and without
  ``__init__.py``, ``LICENSE``, ``metadata.txt`` or one of its nine required keys.
* ``qgis-app/plugins/security_scanner.py`` runs Bandit (at ``-ll``, or the site's own list of tests: all but B109, B404,
  B410 and B411, which reaches to Bandit's lowest severity), ``detect-secrets scan --all-files`` without metadata.txt,
  flake8 with lines of 120 characters, and looks for executable, hidden, ``.exe``, ``.dll``, ``.so``, ``.dylib``,
  ``.bat``, ``.sh``, ``.ps1`` and ``.cmd`` files.
* its ``management/commands/data/flake8_rules.json`` leaves style codes such as E203 off, which is where flake8 and the
  project's formatter disagree.

Held here beyond that: only expected kinds of files, one top folder, no tests and no dotfiles, metadata that fits the
package. Bandit runs with all its tests at every severity; what is meant has a ``nosec`` and its reason beside it. The
site warns (a person decides) of the hashes of weights in the models' cards, which are taken for keys; they are let
pass here. The three tools live in an environment of their own under build/; where they cannot be installed the check
fails, unless PACKAGE_CHECKS=basic asks for the checks that need none.
"""

from __future__ import annotations

import configparser
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "build" / "package-tools"
TOOL_NAMES = ("bandit", "detect-secrets", "flake8")
FOLDER = "hazard_mapper"
LIMIT_BYTES = 25_000_000
LINE_LENGTH = 120
REQUIRED = ("name", "qgisMinimumVersion", "description", "about", "version", "author", "email", "repository", "tracker")
ALLOWED = {".html", ".json", ".md", ".png", ".py", ".qm", ".qml", ".safetensors", ".sld", ".svg", ".ts", ".txt", ".ui"}
ALLOWED_NAMES = {"LICENSE", "SHA256SUMS", "offline.ncrc"}
FORBIDDEN_FOLDERS = {"__MACOSX", "__pycache__", ".git", "tests", "build"}
HASH = re.compile(r'^\s*"(weights|parent)_sha256": "[0-9a-f]{64}",?$')


def check_archive(path: Path, limit_bytes: int = LIMIT_BYTES) -> list[str]:
    """Defects of the zip itself and of the names in it."""
    if path.stat().st_size > limit_bytes:
        return [f"The zip has {path.stat().st_size} bytes, more than the {limit_bytes} that may be uploaded."]
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
            members = archive.infolist()
    except zipfile.BadZipFile:
        return [f"'{path.name}' is not a zip."]
    found = [f"{damaged}: damaged"] if damaged else []
    for member in members:
        found += check_member(member)
    tops = sorted({PurePosixPath(member.filename).parts[0] for member in members if member.filename.strip("/")})
    if tops != [FOLDER]:
        found.append(f"The zip holds {', '.join(tops) or 'nothing'}, not just the folder {FOLDER}.")
    names = {member.filename for member in members}
    needed = ("__init__.py", "metadata.txt", "LICENSE")
    found += [f"{FOLDER}/{name} is missing." for name in needed if f"{FOLDER}/{name}" not in names]
    return found


def check_member(member: zipfile.ZipInfo) -> list[str]:
    """Defects of one entry."""
    name = member.filename
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in name or "\\" in name or ":" in name:
        return [f"{name}: path that may lead out of the plugin's folder"]
    found = [
        f"{name}: in a folder that may not be in a package ({part})" for part in parts if part in FORBIDDEN_FOLDERS
    ]
    if any(part.startswith(".") for part in parts):
        found.append(f"{name}: hidden file")
    mode = member.external_attr >> 16
    if mode & 0o170000 == 0o120000:
        found.append(f"{name}: link")
    if member.is_dir():
        return found
    if mode & 0o111:
        found.append(f"{name}: executable file")
    if PurePosixPath(name).suffix.lower() not in ALLOWED and parts[-1] not in ALLOWED_NAMES:
        found.append(f"{name}: kind of file that is not expected in the package")
    return found


def check_metadata(text: str, names: set[str], version: str | None = None) -> list[str]:
    """Defects of metadata.txt in a package that holds ``names``; ``version`` is the one in the zip's own name."""
    parser = configparser.ConfigParser()
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # keys keep their capitals
    try:
        parser.read_string(text)
        general = dict(parser.items("general"))
    except configparser.Error as error:
        return [f"metadata.txt cannot be read: {str(error).splitlines()[0]}"]
    found = [f"metadata.txt has no {key}." for key in REQUIRED if not general.get(key, "").strip()]
    if version and general.get("version") != version:
        found.append(f"metadata.txt has version {general.get('version')}, the zip's name says {version}.")
    if general.get("hasProcessingProvider") != "yes":
        found.append("metadata.txt does not say hasProcessingProvider=yes.")
    lowest, highest = (as_version(general.get(key, "")) for key in ("qgisMinimumVersion", "qgisMaximumVersion"))
    if lowest is None or highest is None or not lowest < highest:
        found.append("metadata.txt names no range of QGIS versions.")
    about = general.get("about", "").lower()
    if "engine" not in about or "download" not in about:
        found.append("metadata.txt: about does not say that the engine is downloaded.")
    if "/" in general.get("author", ""):
        found.append("metadata.txt: author has a slash.")
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", general.get("email", "")):
        found.append("metadata.txt: email is no address.")
    for key in ("repository", "tracker", "homepage"):
        if general.get(key) and not re.fullmatch(r"https?://[^/\s]+\.[^/\s]+(/\S*)?", general[key]):
            found.append(f"metadata.txt: {key} is no web address.")
    icon = general.get("icon", "")
    if f"{FOLDER}/{icon}" not in names:
        found.append(f"metadata.txt: the icon '{icon}' is not in the package.")
    return found


def placeholders(text: str) -> list[str]:
    """Keys whose address is a placeholder, which the site looks up at the upload and refuses."""
    return re.findall(r"^(repository|tracker|homepage|email)=\S*example\.(?:org|com)", text, re.MULTILINE)


def as_version(text: str) -> tuple[int, ...] | None:
    """``3.22`` as numbers."""
    return tuple(int(part) for part in text.split(".")) if re.fullmatch(r"\d+(\.\d+)+", text) else None


def check_licence(text: str) -> list[str]:
    """Defects of the licence: QGIS is under the GPL, so a plugin has to be too."""
    return [] if "GNU GENERAL PUBLIC LICENSE" in text else ["LICENSE is not the GNU General Public License."]


def check_plainly(path: Path) -> list[str]:
    """Every defect that is seen without a tool."""
    found = check_archive(path)
    if found:
        return found
    version = re.fullmatch(rf"{FOLDER}-(.+)", path.stem)
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        metadata, licence = (archive.read(f"{FOLDER}/{name}") for name in ("metadata.txt", "LICENSE"))
    found += check_metadata(metadata.decode("utf-8"), names, version and version.group(1))
    return found + check_licence(licence.decode("utf-8"))


def bandit_findings(report: str) -> list[str]:
    """Sentences from Bandit's JSON; what it could not read counts too."""
    told = json.loads(report)
    found = [
        f"{issue['filename']}:{issue['line_number']}: Bandit {issue['test_id']} ({issue['issue_severity'].lower()}): "
        f"{issue['issue_text'].splitlines()[0]}"
        for issue in told["results"]
    ]
    return found + [f"{error['filename']}: Bandit: {error['reason']}" for error in told["errors"]]


def secret_findings(report: str, folder: Path) -> list[str]:
    """Sentences from the JSON of detect-secrets; a card's hashes of weights are no secrets."""
    found = []
    for name, secrets in json.loads(report)["results"].items():
        lines = (folder / name).read_text("utf-8", "replace").splitlines()
        for secret in secrets:
            line = lines[secret["line_number"] - 1]
            if Path(name).name == "card.json" and HASH.fullmatch(line):
                continue
            found.append(f"{name}:{secret['line_number']}: detect-secrets: {secret['type']}")
    return found


def prepare_tools() -> Path:
    """Folder of the tools' programs, installed on first use; raises OSError with a sentence where that fails."""
    programs = TOOLS / ("Scripts" if os.name == "nt" else "bin")
    if not (TOOLS / "ready").exists():
        for command in (
            [sys.executable, "-m", "venv", str(TOOLS)],
            [str(programs / "python"), "-m", "pip", "--disable-pip-version-check", "install", "-q", *TOOL_NAMES],
        ):
            ended = subprocess.run(command, capture_output=True, text=True, check=False)
            if ended.returncode:
                reason = (ended.stderr or ended.stdout).strip().splitlines()[-1:] or ["no reason given"]
                raise OSError(
                    f"{', '.join(TOOL_NAMES)} cannot be installed into {TOOLS} ({reason[0]}); connect to a package "
                    "index, or run with PACKAGE_CHECKS=basic to leave their checks out."
                )
        (TOOLS / "ready").touch()
    return programs


def check_with_tools(path: Path, programs: Path) -> list[str]:
    """What Bandit, detect-secrets and flake8 find in the unpacked package; raises OSError where one does not run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)  # the names were checked before
        found = bandit_findings(run_tool(programs, folder, ["bandit", "-q", "-r", FOLDER, "-f", "json"]))
        scan = ["detect-secrets", "scan", "--all-files", "--exclude-files", r"metadata\.txt", FOLDER]
        found += secret_findings(run_tool(programs, folder, scan), folder)
        style = ["flake8", "--isolated", f"--max-line-length={LINE_LENGTH}", "--extend-ignore=E203", FOLDER]
        return found + run_tool(programs, folder, style).splitlines()


def run_tool(programs: Path, folder: Path, command: list[str]) -> str:
    """Standard output of a tool; 0 and 1 are the codes of a scan that came to its end."""
    ended = subprocess.run([str(programs / command[0]), *command[1:]], cwd=folder, capture_output=True, text=True)
    if ended.returncode not in (0, 1) or (ended.returncode and not ended.stdout):
        raise OSError(f"{command[0]} failed: {ended.stderr.strip()[-300:]}")
    return ended.stdout


def main() -> int:
    """Check the zip named on the command line; returns the exit code."""
    path = Path(sys.argv[1])
    is_basic = os.environ.get("PACKAGE_CHECKS") == "basic"
    found = check_plainly(path)
    if not found and not is_basic:
        try:
            found = check_with_tools(path, prepare_tools())
        except OSError as error:
            found = [str(error)]
    for defect in found:
        print(defect, file=sys.stderr)
    if found:
        return 1
    with zipfile.ZipFile(path) as archive:
        count = len(archive.namelist())
        waiting = placeholders(archive.read(f"{FOLDER}/metadata.txt").decode("utf-8"))
    done = "without Bandit, detect-secrets and flake8" if is_basic else "with Bandit, detect-secrets and flake8"
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, {count} entries, no defect ({done})")
    if waiting:
        print(f"Before an upload, give metadata.txt real addresses: {', '.join(waiting)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
