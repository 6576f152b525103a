#!/bin/sh
# Make this checkout ready to run: Python packages in .venv from the pinned lock, Debian packages by apt.
# usage: deploy/ready.sh run|dev      (dev adds the tools that tests and lint need)
set -eu
cd "$(dirname "$0")/.."
mode=${1:-run}
lock=requirements.txt
wanted=deploy/packages.txt
if [ "$mode" = dev ]; then
    lock=requirements-dev.txt
    wanted="$wanted deploy/packages-dev.txt"
fi
python=${PYTHON:-python3}

say() { printf 'holdfast: %s\n' "$*" >&2; }

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    { say "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11"; exit 1; }

missing=""
# shellcheck disable=SC2086
for package in $(cat $wanted); do
    # a library has no program to look for; a program may be there without its package
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q ' installed$' ||
        PATH="$PATH:/usr/sbin:/sbin" command -v "$package" >/dev/null 2>&1 || missing="$missing $package"
done
"$python" -c 'import ensurepip' 2>/dev/null || missing="$missing python3-venv"
if [ -n "$missing" ]; then
    root=""
    [ "$(id -u)" = 0 ] || root="sudo -n"
    if { [ -z "$root" ] || sudo -n true 2>/dev/null; } && command -v apt-get >/dev/null 2>&1; then
        say "installing Debian packages:$missing"
        $root apt-get -qq update
        # shellcheck disable=SC2086
        $root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $missing >/dev/null
        # Debian starts what it installs; Holdfast starts its own copies on its own ports.
        if [ -d /run/systemd/system ]; then
            for unit in $missing; do $root systemctl disable --now "$unit" >/dev/null 2>&1 || true; done
        fi
    else
        say "please install as root: apt-get install -y --no-install-recommends$missing"
        exit 1
    fi
fi

stamp() { printf '.venv/.ready-%s-%s' "$1" "$(cat requirements.txt requirements-dev.txt pyproject.toml | sha256sum | cut -c1-16)"; }
# what tests need holds all that a run needs
if [ -f "$(stamp dev)" ] || [ -f "$(stamp "$mode")" ]; then exit 0; fi
say "installing Python packages from $lock into .venv"
[ -x .venv/bin/python ] || "$python" -m venv .venv
if command -v uv >/dev/null 2>&1; then
    uv pip install -q --python .venv/bin/python --no-deps -r "$lock"
    uv pip install -q --python .venv/bin/python --no-deps --no-build-isolation -e .
else
    # the lock is whole, so there is nothing to resolve; what is never imported needs no bytecode
    .venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-compile -r "$lock"
    .venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
fi
rm -f .venv/.ready-*
touch "$(stamp "$mode")"
