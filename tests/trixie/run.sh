#!/usr/bin/env bash
# Runs the tests in a Debian that setup.sh made: tests/trixie/run.sh FOLDER [PYTEST ARGUMENTS]. Without arguments these
# are all tests of the engine, then those of the plugin in QGIS. It works on a copy of this tree, which lies in FOLDER
# as checkout/, with what the tests write under checkout/build. HAZARD_DATA is there too where it is set.
set -euo pipefail
folder=$(realpath "$1")
shift
root=$(cd "$(dirname "$0")/../.." && pwd)

if [ "${HAZARD_INSIDE:-}" != 1 ]; then
    if [ "$(id -u)" != 0 ]; then
        echo "Tests can only be run in a Debian in a folder as root; run this with sudo, or in a container." >&2
        exit 1
    fi
    # File systems are mounted, and processes run, in namespaces of their own: whatever ends this run ends them too.
    exec unshare --mount --pid --fork --kill-child env HAZARD_INSIDE=1 "$0" "$folder" "$@"
fi

exec 9>"$folder/lock"
flock --nonblock 9 || { echo "Tests are running in $folder already." >&2; exit 1; }
rm -rf "$folder/checkout"
mkdir "$folder/checkout"
left_out=(--exclude=./build --exclude=./.venv --exclude=__pycache__ --exclude='./.*_cache')
# 1 is not a failure: a file was written while it was read.
{ tar -C "$root" "${left_out[@]}" --warning=no-file-changed -c . || [ $? = 1 ]; } | tar -C "$folder/checkout" -x
mount -t proc proc "$folder/proc"
mount --bind /dev "$folder/dev"
mount -t devpts devpts "$folder/dev/pts"
mount -t tmpfs tmpfs "$folder/dev/shm"
mount -t tmpfs tmpfs "$folder/tmp"
variables=(PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 TERM=dumb OMP_NUM_THREADS=1
    PYTHONDONTWRITEBYTECODE=1 HAZARD_ENGINE_PYTHON=/engine/bin/python)
if [ -n "${HAZARD_DATA:-}" ]; then
    mkdir -p "$folder/data"
    mount --bind "$HAZARD_DATA" "$folder/data"
    mount -o remount,bind,ro "$folder/data"
    variables+=(HAZARD_DATA=/data)
fi
inside() { env -i "${variables[@]}" chroot "$folder" sh -c 'cd /checkout && exec "$@"' sh "$@"; }
screen=(xvfb-run -a -s "-screen 0 1600x1000x24")

inside /engine/bin/python - <<'VERSIONS'
import platform
import numpy, torch
from osgeo import gdal
from qgis.core import Qgis
from qgis.PyQt.QtCore import QT_VERSION_STR

print(f"QGIS {Qgis.QGIS_VERSION}, Qt {QT_VERSION_STR}, Python {platform.python_version()}, numpy {numpy.__version__}, "
      f"GDAL {gdal.__version__}, torch {torch.__version__}")
VERSIONS
if [ $# -gt 0 ]; then
    inside "${screen[@]}" /engine/bin/python -m pytest "$@"
    exit
fi
failed=0
inside /engine/bin/python -m pytest -p no:pytest_qgis tests/engine || failed=$?
inside "${screen[@]}" /engine/bin/python -m pytest tests/plugin tests/gui || failed=$?
exit $failed
