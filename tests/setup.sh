#!/usr/bin/env bash
# Sets up what the demo and the tests need: system packages through apt (only as root) and the engine's environment in
# .venv. It does nothing where all is there, and nothing outside the checkout but installing system packages.
set -euo pipefail
cd "$(dirname "$0")/.."

packages="qgis python3-qgis python3-gdal gdal-bin python3-venv xvfb xauth"
python=/usr/bin/python3

have_system_packages() {
    command -v qgis >/dev/null && command -v xvfb-run >/dev/null && command -v xauth >/dev/null &&
        "$python" -c "import qgis.core, osgeo.gdal_array, numpy, ensurepip" >/dev/null 2>&1
}

if ! have_system_packages; then
    if [ "$(id -u)" != 0 ]; then
        echo "QGIS and what belongs to it is missing. Run this once, then the same command again:" >&2
        echo "  sudo apt-get update && sudo apt-get install --no-install-recommends -y $packages" >&2
        exit 1
    fi
    echo "Installing system packages: $packages"
    apt-get -q update
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $packages
    have_system_packages || { echo "QGIS for $python is still missing after apt-get; is this Debian 12 or later?" >&2; exit 1; }
fi

wanted=$(cat engine/requirements.txt engine/requirements-fast.txt tests/requirements.txt tests/requirements-onnx.txt tests/setup.sh | sha256sum | cut -d' ' -f1)
if [ "$(cat .venv/ready 2>/dev/null || true)" = "$wanted" ]; then
    exit 0
fi
echo "Building the engine's environment in .venv"
[ -x .venv/bin/python ] || "$python" -m venv --system-site-packages .venv
# GDAL is built for the numpy that QGIS has: nothing may bring another one into the environment.
constraints=.venv/constraints.txt
"$python" -c "import numpy; print('numpy==' + numpy.__version__)" >"$constraints"
pip() { .venv/bin/python -m pip --disable-pip-version-check "$@"; }
if ! command -v nvidia-smi >/dev/null && ! .venv/bin/python -c "import torch" 2>/dev/null; then
    # Without an NVIDIA GPU PyTorch's own CPU builds save gigabytes; where they are out of reach, any build will do.
    pip install -q --retries 0 --timeout 20 --no-deps --index-url https://download.pytorch.org/whl/cpu \
        $(grep -E '^torch(vision)?==' engine/requirements.txt) 2>/dev/null ||
        echo "PyTorch's CPU builds are out of reach; the package index's build is taken instead."
fi
pip install -q -c "$constraints" -r engine/requirements.txt -r tests/requirements.txt
# What computes faster is optional: tests of it are skipped where it is out of reach.
pip install -q --retries 1 --timeout 20 -c "$constraints" -r engine/requirements-fast.txt ||
    echo "OpenVINO is out of reach; PyTorch alone computes (engine/requirements-fast.txt)."
rm -rf .venv/onnx
pip install -q --retries 1 --timeout 20 --no-deps --target .venv/onnx -r tests/requirements-onnx.txt ||
    echo "ONNX Runtime is out of reach; it is not tested (tests/requirements-onnx.txt)."
.venv/bin/python - <<'PROOF'
from osgeo import gdal_array
import torch
from engine.compat_torch import guard_torchvision

guard_torchvision()
import segmentation_models_pytorch

print(f"Ready: torch {torch.__version__}, segmentation-models-pytorch {segmentation_models_pytorch.__version__}")
PROOF
echo "$wanted" >.venv/ready
