#!/usr/bin/env bash
# How many inputs fuzzing takes to find each known fault, guided and at random.
#
#   ci/fuzz-mutants.sh                             every patch in testbenches/mutations
#   EXECS=500 SEEDS=3 ci/fuzz-mutants.sh lost_credit   only these; inputs and seeds of each
#
# Prints for each fault and search the inputs until the first finding of each seed (- for none within
# EXECS), and the smallest stimulus that shows it. Only the tight switch is built of a patched RTL, in
# target/mutants/fuzz, so that a fault takes a minute or two; faults of links and of systems of several
# chips are not to be found in it. The tree itself is not touched.
set -uo pipefail
cd "$(dirname "$0")/.." || exit

readonly patches=$PWD/testbenches/mutations
work=$(realpath -m "${CARGO_TARGET_DIR:-target}/mutants")
readonly work tree=$work/fuzz

names=("$@")
if ((${#names[@]} == 0)); then
  for patch in "$patches"/*.patch; do
    names+=("$(basename "$patch" .patch)")
  done
fi

failed=0
for name in "${names[@]}"; do
  rm -rf "$tree"
  mkdir -p "$tree"
  cp -r rtl "$tree/"
  if ! patch --silent --directory="$tree" --strip=1 <"$patches/$name.patch"; then
    echo "$name: the patch does not fit: make it again" >&2
    failed=1
    continue
  fi
  SUPERNODE_MUTANT=$tree cargo run --quiet --release -p mutant -- "$name" "${EXECS:-2000}" "${SEEDS:-5}" || failed=1
done
exit "$failed"
