# Shared by the scripts beside it: where builds go, and how missing packages are installed.
# Sourced, not run. Needs `set -eu` and the repository as the current folder.

# Builds go to target/, or to a cache outside the clone that survives it.
: "${CARGO_TARGET_DIR:=${PORTREEVE_BUILD_CACHE:-$PWD/target}}"
export CARGO_TARGET_DIR

missing=""

# need PACKAGE COMMAND: notes a Debian package whose command is not there.
need() {
    command -v "$2" >/dev/null 2>&1 || [ -x "/usr/sbin/$2" ] || missing="$missing $1"
}

# Installs what `need` noted; asks for nothing and does nothing when all is there.
install_missing() {
    [ -n "$missing" ] || return 0
    echo "installing:$missing"
    as_root apt-get update -qq
    # shellcheck disable=SC2086 # a list of names
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# What building needs beyond Rust's toolchain: a linker and a C compiler (for the cryptography).
need_build_tools() {
    need gcc cc
    [ -e /usr/include/stdio.h ] || missing="$missing libc6-dev"
    command -v cargo >/dev/null 2>&1 || PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
    command -v cargo >/dev/null 2>&1 || { echo "Rust's toolchain is missing (cargo)" >&2; exit 1; }
}
