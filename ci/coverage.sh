#!/usr/bin/env bash
# Runs the tests with coverage counters, and reports; arguments go to the tests.
set -euo pipefail
cd "$(dirname "$0")/.."

target="${CARGO_TARGET_DIR:-target}"
out="$target/coverage"
rm -rf "$out/raw"
mkdir -p "$out/raw"
cargo build --release --bin supernode
# A failing test fails the target, but what the others reach is reported all the same.
failed=0
SUPERNODE_COVERAGE="$(realpath "$out/raw")" ci/test.sh "$@" || failed=$?
# Part of the tests reaches part of the design: no gate.
gate=()
(($# == 0)) || gate=(--no-gate)
"$target/release/supernode" coverage "$out/raw" --waivers testbenches/coverage.waivers \
  --lcov "$out/rtl.lcov" --html "$out/coverage.html" "${gate[@]}"
# Pages of the source with counts, where lcov is installed.
if command -v genhtml >/dev/null; then
  genhtml --quiet --branch-coverage --output-directory "$out/html" "$out/rtl.lcov"
fi
exit "$failed"
