#!/usr/bin/env bash
# Makes the generated files again from their sources.
#
#   ci/generate.sh            in the repository
#   ci/generate.sh --check    elsewhere, and shows where the committed ones differ
set -euo pipefail
cd "$(dirname "$0")/.."

fresh=${CARGO_TARGET_DIR:-target}/generated
tools=$(ci/venv.sh)

rm -rf "$fresh"
"$tools/python3" ci/csr.py rtl/csr/supernode_csr.rdl "$fresh"
rustfmt --edition 2024 "$fresh/harness/src/dut/csr_map.rs"

if [[ ${1:-} != --check ]]; then
  cp -R "$fresh/." .
  cargo run --release --quiet --package flits
  cargo run --release --quiet --bin supernode -- prove --tables docs/protocol.md
  exit
fi

stale=0
while read -r file; do
  diff -u --label "$file, committed" --label "$file, generated" "$file" "$fresh/$file" || stale=1
done < <(cd "$fresh" && find . -type f -printf '%P\n' | sort)
cargo run --release --quiet --package flits -- --check || stale=1
((stale == 0)) || {
  echo "generate: run 'make generate' and commit what it changes"
  exit 1
}
