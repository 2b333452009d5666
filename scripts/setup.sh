# Sourced by ./start and ./test: installs what a build needs and is not there yet.
# Needed: a C compiler (for ring's assembly), Python with pip (one of three ways to get the model),
# the Rust toolchain, and for ./test PostgreSQL, of which the tests start servers of their own, and
# Chromium with its driver, in which they use the messenger and the inbox. Prism, Intercom's mock,
# is fetched where there is npm, scikit-learn and its like from PyPI.

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
        as_root dnf install -y -q gcc make python3-pip curl postgresql-server \
            ${with_browser:+chromium chromedriver}
    elif command -v pacman >/dev/null; then
        as_root pacman -S --noconfirm --needed gcc make python-pip curl postgresql \
            ${with_browser:+chromium}
    else
        say "no known package manager; please install a C compiler, make, Python 3 with pip, and curl"
        return 1
    fi
}

missing=""
command -v cc >/dev/null || missing="$missing build-essential"
command -v curl >/dev/null || missing="$missing curl ca-certificates"
python3 -m pip --version >/dev/null 2>&1 || missing="$missing python3 python3-pip"
# Debian keeps the server's programs out of the path.
has_postgres() { ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null; }
[ -n "${with_postgres:-}" ] && ! has_postgres && missing="$missing postgresql"
[ -n "${with_browser:-}" ] && ! command -v chromedriver >/dev/null && missing="$missing chromium chromium-driver"
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

# Judges whether pages can be used by everybody; half a megabyte that only tests need.
fetch_axe() {
    local version=4.14.1 folder=.frontdesk/axe-core
    local checksum=e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745
    [ ! -e "$folder/axe.min.js" ] || return 0
    if ! command -v npm >/dev/null; then
        say "npm is not there to fetch axe-core: the tests do without"
        return 0
    fi
    say "fetching axe-core"
    mkdir -p "$folder"
    (
        cd "$folder"
        npm pack --silent "axe-core@$version" >/dev/null &&
            echo "$checksum  axe-core-$version.tgz" | sha256sum --check --quiet &&
            tar -xzf "axe-core-$version.tgz" --strip-components=1 package/axe.min.js package/LICENSE
        rm -f "axe-core-$version.tgz"
    )
    [ -e "$folder/axe.min.js" ] || say "axe-core could not be fetched: the tests do without"
}
[ -z "${with_browser:-}" ] || fetch_axe

# The vendor's own client of Intercom, in which a test reads back what it wrote.
fetch_intercom_client() {
    local version=7.0.3 folder=.frontdesk/intercom-client
    local checksum=d581c191f657993dc231259ad9231186a9e3318ee266b7c09c3f2b5e509211bd
    [ ! -e "$folder/node_modules/intercom-client/package.json" ] || return 0
    if ! command -v npm >/dev/null; then
        say "npm is not there to fetch intercom-client: the tests do without"
        return 0
    fi
    say "fetching intercom-client"
    mkdir -p "$folder/node_modules/intercom-client"
    (
        cd "$folder"
        npm pack --silent "intercom-client@$version" >/dev/null &&
            echo "$checksum  intercom-client-$version.tgz" | sha256sum --check --quiet &&
            tar -xzf "intercom-client-$version.tgz" --strip-components=1 -C node_modules/intercom-client
        rm -f "intercom-client-$version.tgz"
    )
    [ -e "$folder/node_modules/intercom-client/package.json" ] ||
        say "intercom-client could not be fetched: the tests do without"
}
[ -z "${with_intercom_sdk:-}" ] || fetch_intercom_client

# Serves the vendor's document of Intercom's interface, and refuses calls that are not as it says;
# 90 MB that only tests need.
fetch_prism() {
    local version=5.14.2 folder=.frontdesk/prism
    local program=$folder/node_modules/@stoplight/prism-cli/dist/index.js
    [ ! -e "$program" ] || return 0
    if ! command -v npm >/dev/null; then
        say "npm is not there to fetch Prism: the tests do without"
        return 0
    fi
    say "fetching Prism"
    mkdir -p "$folder"
    npm install --prefix "$folder" --silent --no-save --no-audit --no-fund --ignore-scripts \
        "@stoplight/prism-cli@$version" >/dev/null || true
    [ -e "$program" ] || say "Prism could not be fetched: the tests do without"
}
[ -z "${with_prism:-}" ] || fetch_prism

# Others' implementations of what the evals measure; 300 MB that only a test needs.
fetch_metric_peers() {
    local folder=.frontdesk/metric-peers wanted=scripts/peers/metrics-requirements.txt
    ! cmp -s "$wanted" "$folder/installed.txt" || return 0
    say "fetching the metric peers"
    python3 -c 'import venv, ensurepip' 2>/dev/null || install_packages python3-venv
    rm -rf "$folder"
    if python3 -m venv "$folder" && "$folder/bin/python" -m pip install --quiet --requirement "$wanted"; then
        cp "$wanted" "$folder/installed.txt"
    else
        rm -rf "$folder"
        say "the metric peers could not be fetched: the tests do without"
    fi
}
[ -z "${with_metric_peers:-}" ] || fetch_metric_peers
