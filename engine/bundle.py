"""Makes the folder from which the engine is set up on a computer without a network: packages, manifest and hashes.

``python -m engine.bundle --to FOLDER --device cpu`` needs pip and the network, but neither PyTorch nor GDAL. Make it
with the same system and the same version of Python as the computer it is for, since packages are built for both.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import subprocess  # nosec B404  # only pip is started, from a list, without a shell
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--only-binary", ":all:")
FROM_PYTORCH = ("torch=", "torchvision=")


def read_catalogue() -> dict[str, Any]:
    """The builds of PyTorch."""
    found: dict[str, Any] = json.loads((HERE / "builds.json").read_text("utf-8"))
    return found


def make_bundle(folder: Path, build: str, requirements: Path, index: str | None) -> dict[str, Any]:
    """Download what the engine needs into an empty folder and write manifest and hashes.

    Raises:
        FileExistsError: when something is in the folder already.
        subprocess.CalledProcessError: when pip fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(f"'{folder}' is not empty; name a new folder.")
    lines = [line.split("#")[0].strip() for line in requirements.read_text("utf-8").splitlines()]
    lines = [line for line in lines if line]
    environment = {**os.environ, "PIP_TRUSTED_HOST": "none.invalid"}  # whatever pip's configuration says
    torch = [line for line in lines if line.startswith(FROM_PYTORCH)]
    if index and torch:
        command = [*PIP, "--dest", str(folder), "--index-url", index, *torch]
        subprocess.run(command, check=True, env=environment)  # nosec B603  # a list made here
    command = [*PIP, "--dest", str(folder), "--find-links", str(folder), *lines]
    subprocess.run(command, check=True, env=environment)  # nosec B603  # a list made here
    manifest = {
        "version": 1,
        "build": build,
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "system": {"win32": "windows", "darwin": "macos"}.get(sys.platform, "linux"),
        "machine": {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower()),
        "requirements": lines,
        "bytes": sum(path.stat().st_size for path in folder.iterdir()),
    }
    (folder / "bundle.json").write_text(json.dumps(manifest, indent=1), "utf-8")
    (folder / "requirements.txt").write_text("\n".join(lines) + "\n", "utf-8")
    files = sorted(folder.iterdir())
    (folder / "SHA256SUMS").write_text("".join(f"{sha256(path)}  {path.name}\n" for path in files), "utf-8")
    return manifest


def sha256(path: Path) -> str:
    """SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def main(arguments: Sequence[str] | None = None) -> int:
    """Make a bundle; 0 done, 2 bad input or pip failed."""
    catalogue = read_catalogue()
    builds = [entry["name"] for entry in catalogue["builds"]]
    parser = argparse.ArgumentParser(prog="python -m engine.bundle", description=__doc__, allow_abbrev=False)
    parser.add_argument("--to", required=True, type=Path, metavar="FOLDER", help="new folder for the bundle")
    parser.add_argument("--device", default="cpu", choices=builds, help="build of PyTorch (default: cpu)")
    parser.add_argument("--package-index", action="store_true", help="take PyTorch from the index that pip is set to")
    parser.add_argument("--requirements", type=Path, default=HERE / "requirements.txt", metavar="FILE", help="packages")
    options = parser.parse_args(arguments)
    own = options.package_index or options.device == "mps" or sys.platform == "darwin"
    index = None if own else f"{catalogue['index']}{options.device}"
    try:
        made = make_bundle(options.to, options.device, options.requirements, index)
    except OSError as error:
        print(error, file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as error:
        print(f"pip failed (exit code {error.returncode}); what it said is above.", file=sys.stderr)
        return 2
    computer = f"{made['system']} {made['machine']}, Python {made['python']}, {made['build']}"
    size_mb = made["bytes"] / 1e6
    print(f"{options.to}: {size_mb:.0f} MB for {computer}; copy the folder and choose it with Install from folder.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
