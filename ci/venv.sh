#!/usr/bin/env bash
# Prints the folder of the pinned Python tools, after making or updating it when
# ci/requirements.txt has changed. Use: PATH=$(ci/venv.sh):$PATH
set -euo pipefail
cd "$(dirname "$0")/.."

venv=$(realpath -m "${CARGO_TARGET_DIR:-target}/venv")
if ! cmp -s ci/requirements.txt "$venv/requirements.txt"; then
  ci/setup.sh python >&2
  echo "venv: installing the tools of ci/requirements.txt" >&2
  rm -rf "$venv"
  python3 -m venv "$venv" >&2
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r ci/requirements.txt >&2 || {
    echo "venv: pip could not install ci/requirements.txt (its message is above)." >&2
    exit 1
  }
  cp ci/requirements.txt "$venv/requirements.txt"
fi
echo "$venv/bin"
