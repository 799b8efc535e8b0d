#!/usr/bin/env bash
# Makes a Debian of a later release in a folder, with its own QGIS, Python, numpy and PyTorch: tests/trixie/setup.sh
# RELEASE FOLDER. Needs root. It does nothing where the folder is ready; what is half made is finished.
set -euo pipefail
release=$1
folder=$2
here=$(cd "$(dirname "$0")" && pwd)
fallback=http://deb.debian.org/debian
packages="qgis python3-qgis python3-gdal gdal-bin python3-venv xvfb xauth git
    python3-pyqt6 python3-pyqt6.qtsvg
    python3-torch python3-torchvision python3-numpy python3-safetensors python3-h5py python3-pytest
    python3-filelock python3-fsspec python3-packaging python3-pil python3-requests python3-tqdm
    python3-typing-extensions python3-yaml"

wanted=$(cat "$here/setup.sh" "$here/requirements.txt" | sha256sum | cut -d' ' -f1)
if [ "$(cat "$folder/ready" 2>/dev/null || true)" = "$wanted" ]; then
    exit 0
fi
if [ "$(id -u)" != 0 ]; then
    echo "A Debian in a folder can only be made as root; run this with sudo, or in a container." >&2
    exit 1
fi
if ! command -v debootstrap >/dev/null; then
    apt-get -q update
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends debootstrap
fi

# Packages come from where this system's own come from, if that is a Debian.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' | grep -v security | head -1)
mirror=${mirror:-$fallback}
if [ ! -e "$folder/bootstrapped" ]; then
    echo "Making a Debian $release in $folder"
    rm -rf "$folder"
    mkdir -p "$(dirname "$folder")"
    script=/usr/share/debootstrap/scripts/$release
    [ -e "$script" ] || script=/usr/share/debootstrap/scripts/sid # an older debootstrap does not know the newest release
    debootstrap --variant=minbase --include=ca-certificates "$release" "$folder" "$mirror" "$script" >"$folder.log" 2>&1 ||
        { tail -5 "$folder.log" >&2; exit 1; }
    rm -f "$folder.log"
    touch "$folder/bootstrapped"
fi

echo "Installing QGIS and PyTorch of Debian $release"
cp /etc/resolv.conf /etc/hosts "$folder/etc/"
apt-config dump | grep -iE '^acquire::(http|https)::proxy' >"$folder/etc/apt/apt.conf.d/90proxy" || true
printf '#!/bin/sh\nexit 101\n' >"$folder/usr/sbin/policy-rc.d" # no service is started
chmod 755 "$folder/usr/sbin/policy-rc.d"
inside() { env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive chroot "$folder" "$@"; }
# A mirror that lags behind will do; who signed its lists is checked all the same.
inside apt-get -q update -o Acquire::Check-Valid-Until=false
inside apt-get -q -y install --no-install-recommends $packages
inside apt-get clean

# The index is asked out here, where pip is set up for it; in there nothing needs a network.
rm -rf "$folder/wheels"
"$here/../../.venv/bin/python" -m pip --disable-pip-version-check download -q --no-deps --only-binary :all: \
    -d "$folder/wheels" -r "$here/requirements.txt"
inside python3 -m venv --clear --system-site-packages /engine
inside /engine/bin/python -m pip install -q --no-index --no-deps --find-links /wheels $(cd "$folder/wheels" && printf '/wheels/%s ' *)
echo "$wanted" >"$folder/ready"
