#!/usr/bin/env bash
# Runs the tests of the models with coverage counters, and reports; arguments go to the tests.
set -euo pipefail
cd "$(dirname "$0")/.."

target="${CARGO_TARGET_DIR:-target}"
out="$target/coverage"
rm -rf "$out/raw"
mkdir -p "$out/raw"
SUPERNODE_COVERAGE="$(realpath "$out/raw")"
# What random programs reach they reach soon, and models with counters take their time.
SUPERNODE_CASES="${SUPERNODE_CASES:-20%}"
export SUPERNODE_COVERAGE SUPERNODE_CASES SUPERNODE_COVERAGE_MODELS=1

tests=("$@")
# Campaigns that look at the outcomes of many programs are long.
if (($# == 0)) && cargo nextest --version >/dev/null 2>&1; then
  tests=(-E 'not (binary(switch) & test(/^(litmus|programs|determinism|cabled)::/))')
fi
# A failing test fails the target, but what the others reach is reported all the same.
failed=0
ci/test.sh --exclude mutant --exclude verilated-example \
  --test switch --test link --test registers --test fuzz "${tests[@]}" || failed=$?
# Part of the tests reaches part of the design: no gate.
gate=()
(($# == 0)) || gate=(--no-gate)
"$target/release/supernode" coverage "$out/raw" --waivers testbenches/coverage.waivers \
  --lcov "$out/rtl.lcov" --html "$out/coverage.html" "${gate[@]}" || failed=$?
echo "The page is $out/coverage.html; $out/rtl.lcov is for other tools."
# Pages of the source with counts, where lcov is installed.
if command -v genhtml >/dev/null; then
  genhtml --quiet --branch-coverage --output-directory "$out/html" "$out/rtl.lcov"
fi
exit "$failed"
