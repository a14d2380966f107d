#!/usr/bin/env bash
# Publishes a system for the devices of a class (docs/updates.md):
#   publish --class CLASS --key KEY.pem --cache STORE --manifest FILE [--serial N] [--days N] [--reboot] SYSTEM
# SYSTEM is a path of the store, or what nix builds, such as .#nixosConfigurations.device.config.system.build.toplevel. KEY.pem is an Ed25519 key
# (openssl genpkey -algorithm ed25519). The manifest is written last, in one step, after the cache has all that it names.
set -euo pipefail

usage() { sed -n 's/^#   publish/usage: publish/p' "$0" >&2; exit 2; }
fail() { echo "publish: $*" >&2; exit 1; }

class='' key='' cache='' manifest='' serial='' days=90 reboot=false system=''
while [ $# -gt 0 ]; do
    case $1 in
    --class | --key | --cache | --manifest | --serial | --days)
        [ $# -ge 2 ] || usage
        declare "${1#--}=$2"
        shift
        ;;
    --reboot) reboot=true ;;
    -*) usage ;;
    *) system=$1 ;;
    esac
    shift
done
for needed in class key cache manifest system; do
    [ -n "${!needed}" ] || usage
done
# Seconds since 1970: each system that is published has a higher one than those before.
serial=${serial:-$(date +%s)}
[[ $serial =~ ^[0-9]+$ && $days =~ ^[0-9]+$ ]] || usage
[[ $(openssl pkey -in "$key" -noout -text) == ED25519* ]] || fail "$key is no Ed25519 key: openssl genpkey -algorithm ed25519 -out KEY.pem"

nix() { command nix --extra-experimental-features 'nix-command flakes' "$@"; }
case $system in
/nix/store/*) ;;
*) system=$(nix build --no-link --print-out-paths "$system") ;;
esac
nix store ls "$system/bin/switch-to-configuration" >/dev/null 2>&1 || fail "$system is no system of NixOS"
nix copy --to "$cache" "$system"
# A list or an object, by the version of Nix.
size=$(nix path-info --json --closure-size "$system" | jq '[.[]] | .[0].closureSize')
content=$(jq --null-input --compact-output --arg class "$class" --argjson serial "$serial" --arg system "$system" --argjson size "$size" \
    --argjson reboot "$reboot" --arg until "$(date --utc --date "$days days" +%Y-%m-%dT%H:%M:%SZ)" \
    '{ class: $class, serial: $serial, system: $system, size: $size, needs_reboot: $reboot, not_after: $until }')

work=$(mktemp --directory)
trap 'rm -rf "$work"' EXIT
printf %s "$content" >"$work/content"
openssl pkeyutl -sign -rawin -inkey "$key" -in "$work/content" -out "$work/signature"
jq --null-input --arg manifest "$content" --arg signature "$(base64 --wrap 0 "$work/signature")" \
    '{ manifest: $manifest, signature: $signature }' >"$manifest.new"
mv "$manifest.new" "$manifest"
echo "serial $serial for $class: $system"
