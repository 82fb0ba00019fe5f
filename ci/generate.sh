#!/usr/bin/env bash
# Makes the generated files from their sources, in the repository or, to compare, under a folder:
#
#   ci/generate.sh [FOLDER]
set -euo pipefail
cd "$(dirname "$0")/.."

root=${1:-.}
tools=$(ci/venv.sh)
"$tools/python3" ci/csr.py rtl/csr/supernode_csr.rdl "$root"
rustfmt --edition 2024 "$root/harness/src/dut/csr_map.rs"
