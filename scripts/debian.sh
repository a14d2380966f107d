# Packages of any release of Debian, unpacked into a directory of ours: nothing is installed, and apt's configuration stays as it is.
# For scripts that source it.
# shellcheck shell=bash

say() { echo "setup: $*" >&2; }
die() { say "$*"; exit 1; }
has() { command -v "$1" >/dev/null; }

# Three attempts: mirrors fail now and then.
retry() {
    local attempt
    for attempt in 1 2 3; do
        "$@" && return
        [ "$attempt" = 3 ] || sleep $((attempt * 5))
    done
    return 1
}

# Makes closure and unpack ask a release of Debian, for these architectures besides this machine's. Sources, pins, state and cache are
# private, and the mirror is the one that the machine already uses. For a subshell, which loses it all at its end; within it the lists,
# which take ten seconds to read, are fetched once.
#   ask_release RELEASE [ARCHITECTURE…]
ask_release() {
    has apt-get || { say "no apt-get, so no package of Debian $1"; return 1; }
    [ "$asked" != "$*" ] || return 0
    local codename architecture
    architecture=$(dpkg --print-architecture)
    temp=$(mktemp -d)
    trap 'rm -rf "$temp"' EXIT
    chmod 755 "$temp" # apt drops root to download
    mkdir -p "$temp"/{state/lists/partial,cache/archives/partial}
    codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    apt-get --print-uris update 2>/dev/null | sed -n "s|^'\(.*\)/dists/$codename/InRelease'.*|\1|p" |
        sort -u | sed "s|.*|deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] & $1 main|" >"$temp/sources.list"
    {
        cat <<CONF
Dir::Etc::SourceList "$temp/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "$temp/state";
Dir::State::status "/dev/null";
Dir::Cache "$temp/cache";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "20";
CONF
        printf 'APT::Architectures:: "%s";\n' "$architecture" "${@:2}"
    } >"$temp/apt.conf"
    # -c comes last, so it wins. An update counts as failed if one of several mirrors lacks the release: what counts is the download.
    apt_options=(-c "$temp/apt.conf")
    apt-get "${apt_options[@]}" -qq update 2>"$temp/log" || true
    asked=$*
}
apt_options=() asked=''

# closure PACKAGE…: these and all that they depend on, one a line, as if nothing were installed. After ask_release.
closure() {
    apt-get "${apt_options[@]}" --simulate --no-install-recommends install "$@" | sed -n 's/^Inst \([^ ]*\) .*/\1/p'
}

# unpack DIR PACKAGE…: without installing them. Of the release that ask_release named, or of the machine's own.
unpack() (
    download=$(mktemp -d)
    trap 'rm -rf "$download"' EXIT
    mkdir -p "$1" && to=$(realpath "$1") && shift
    [ $# -gt 0 ] || return
    cd "$download" || return
    # As root apt would download as another user, who may not write here.
    retry apt-get "${apt_options[@]}" -o APT::Sandbox::User=root -qq download "$@" || return
    for package in *.deb; do dpkg-deb -x "$package" "$to" || return; done
)
