#!/usr/bin/env bash
# Breaks the RTL one patch at a time and demands that the tests of the switch and its links notice.
#
#   ci/mutate.sh               every patch in testbenches/mutations
#   ci/mutate.sh lost_credit   only these
#
# Prints, for each mutant, how many tests failed and the first of them; ends with 1 if any mutant
# lives, or if its patch does not fit or does not build any more. The tree itself is not touched:
# mutants are built in a worktree of the last commit, target/mutants/tree.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
. ci/mutants.sh

work=$(realpath -m "${CARGO_TARGET_DIR:-target}/mutants")
readonly work tree=$work/tree
export CARGO_TARGET_DIR=$work/target RUST_BACKTRACE=0

names=("$@")
if ((${#names[@]} == 0)); then
  mapfile -t names < <(names_of "$patches"/*.patch)
fi

mkdir -p "$work"
cleanup() { git worktree remove --force "$tree" 2>"$work/worktree.log" || true; }
trap cleanup EXIT
cleanup
git worktree add --quiet --detach "$tree" || exit

# The names of the tests that fail, one a line; fails itself if the tests do not build.
failing_tests() {
  (cd "$tree" && cargo test --release -p testbenches --test switch --test link --no-run) \
    >"$work/$1.build" 2>&1 || return 1
  (cd "$tree" && cargo test --release -p testbenches --test switch --test link --no-fail-fast) \
    >"$work/$1.log" 2>&1
  sed -n 's/^test \(.*\) \.\.\. FAILED$/\1/p' "$work/$1.log" | sort
}

survivors=0
printf '%-28s %-8s %s\n' mutant tests "the first that fails"
for name in "${names[@]}"; do
  git -C "$tree" checkout --quiet .
  if ! git -C "$tree" apply "$patches/$name.patch" 2>"$work/$name.build"; then
    printf '%-28s %-8s %s\n' "$name" - "the patch does not fit: make it again"
    survivors=1
  elif ! failed=$(failing_tests "$name"); then
    printf '%-28s %-8s %s\n' "$name" - "does not build, see $work/$name.build"
    survivors=1
  elif [[ -z $failed ]]; then
    printf '%-28s %-8s %s\n' "$name" 0 "LIVES: no test notices"
    survivors=1
  else
    printf '%-28s %-8s %s\n' "$name" "$(wc -l <<<"$failed")" "$(head -n 1 <<<"$failed")"
  fi
done
exit "$survivors"
