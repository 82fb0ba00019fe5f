# shellcheck shell=bash
# Sourced by the scripts that try models with a known fault. Run from the top of the repository.

readonly patches=$PWD/testbenches/mutations

# Calls a function with the name of each fault, which is in $tree/rtl meanwhile; the tree itself is not
# touched. Fails if a patch does not fit or the function failed for one.
each_mutant() {
  local search=$1 name failed=0
  shift
  tree=$(realpath -m "${CARGO_TARGET_DIR:-target}/mutants/$search")
  for name; do
    rm -rf "$tree"
    mkdir -p "$tree"
    cp -r rtl "$tree/"
    if ! patch --silent --directory="$tree" --strip=1 <"$patches/$name.patch"; then
      echo "$name: the patch does not fit: make it again" >&2
      failed=1
      continue
    fi
    "$search" "$name" || failed=1
  done
  return "$failed"
}

# The names of the faults of the home, one a line.
home_faults() {
  local changes
  mapfile -t changes < <(grep -l '^+++ b/rtl/home/' "$patches"/*.patch)
  names_of "${changes[@]}"
}

# The names of patches, one a line.
names_of() {
  local patch
  for patch; do basename "$patch" .patch; done
}
