#!/usr/bin/env bash
# What finds each known fault of the home on a home alone, and after how many cycles: the model checker's
# traces first, then random messages in random order, both compared with the specification.
#
#   ci/home-mutants.sh                 every patch in testbenches/mutations that changes rtl/home
#   ci/home-mutants.sh wrong_forward   only these
#
# Prints the rows of docs/mutants.md: fault, run that finds it, check, cycle in that run, cycles of all
# runs up to there. Only the home is built of the patched RTL, so a fault takes seconds. Exit code 1 if
# one is not found.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
. ci/mutants.sh

home() {
  SUPERNODE_MUTANT=$tree SUPERNODE_MUTANT_HOME=1 \
    cargo run --quiet --release -p mutant -- home "$1" 2>>"$log"
}

names=("$@")
if ((${#names[@]} == 0)); then
  mapfile -t names < <(home_faults)
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "| fault | found by | check | cycle | cycles in all |"
echo "|---|---|---|---|---|"
each_mutant home "${names[@]}" || {
  cat "$log" >&2
  exit 1
}
