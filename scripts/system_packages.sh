#!/bin/sh
# Checks the three things that pip cannot install: a Python that can make environments, EGL, and Mesa's software OpenGL.
# What is missing is installed when this runs as root on a machine with apt; else one line is printed to paste.
set -eu
python=${1:-python3}

command -v "$python" >/dev/null 2>&1 || { echo "'$python' is not on the PATH; install Python 3.11 or newer." >&2; exit 1; }
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Making scenes needs Python 3.11 or newer (MuJoCo 4 does); '$python' is $("$python" -V 2>&1)." \
        "Name another one: make PYTHON=python3.12 ... The device agent alone runs on 3.10: pip install '.[cpu]'." >&2
    exit 1
}

missing=""
"$python" -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
library() { # does the dynamic loader find it?
    "$python" -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "$1" 2>/dev/null
}
if [ "$(uname -s)" = Linux ]; then
    library libEGL.so.1 || missing="$missing libegl1"
    library libGL.so.1 || missing="$missing libgl1"
    ls /usr/share/glvnd/egl_vendor.d/*.json >/dev/null 2>&1 || missing="$missing libegl-mesa0 libgl1-mesa-dri"
fi
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing system packages:$missing"
    apt-get update -qq
    # shellcheck disable=SC2086  # a list of names
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
    echo "System packages are missing. Paste this, then call make again:" >&2
    echo "    sudo apt-get install -y$missing" >&2
    exit 1
fi
