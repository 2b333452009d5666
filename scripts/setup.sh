# Sourced by ./start and ./test: installs what a build needs and is not there yet.
# Needed: a C compiler (for ring's assembly), Python with pip (one of three ways to get the model),
# and the Rust toolchain.

say() { printf '\n== %s\n' "$*" >&2; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
        say "please run as root: $*"
        return 1
    fi
}

install_packages() {
    say "installing $*"
    if command -v apt-get >/dev/null; then
        as_root apt-get update -qq && as_root apt-get install -y -qq --no-install-recommends "$@"
    elif command -v dnf >/dev/null; then
        as_root dnf install -y -q gcc make python3-pip curl
    elif command -v pacman >/dev/null; then
        as_root pacman -S --noconfirm --needed gcc make python-pip curl
    else
        say "no known package manager; please install a C compiler, make, Python 3 with pip, and curl"
        return 1
    fi
}

missing=""
command -v cc >/dev/null || missing="$missing build-essential"
command -v curl >/dev/null || missing="$missing curl ca-certificates"
python3 -m pip --version >/dev/null 2>&1 || missing="$missing python3 python3-pip"
# shellcheck disable=SC2086 # the list is meant to be split
[ -z "$missing" ] || install_packages $missing

if ! command -v cargo >/dev/null && [ -x "$HOME/.cargo/bin/cargo" ]; then
    PATH="$HOME/.cargo/bin:$PATH"
fi
if ! command -v cargo >/dev/null; then
    say "installing the Rust toolchain"
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal -c clippy -c rustfmt
    PATH="$HOME/.cargo/bin:$PATH"
fi
export PATH
