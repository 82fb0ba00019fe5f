#!/usr/bin/env bash
# Runs every test of the workspace; arguments go to cargo nextest (or cargo test).
set -euo pipefail
cd "$(dirname "$0")/.."

if cargo nextest --version >/dev/null 2>&1; then
  # nextest does not run documentation tests.
  (($#)) || cargo test --release --workspace --doc
  cargo nextest run --release --workspace "$@"
else
  cargo test --release --workspace "$@"
fi
