#!/usr/bin/env bash
# Who may come in. Runs at each boot of an image, before anything of the network:
#   first-boot BOOT_PARTITION
# Takes over what was put on the boot partition (of the flashed card, in another computer) and removes it from there:
#   password         a line: the password of the operator, for the pages, for Grafana's first start, and for the console
#   authorized_keys  ssh keys of the operator
#   wifi             two lines: name and passphrase of a wireless network
# and makes a password if there is none yet. Each thing is on the disk before it is removed from the partition.
set -euo pipefail
umask 077

boot=$1
user=operator
root=${EDGEWATCH_ROOT-} # for the test
state=$root/var/lib/edgewatch-appliance
keys=$root/var/lib/edgewatch-keys
wifi=$root/var/lib/iwd
console=$root/run/edgewatch-appliance
mkdir -p "$state" "$console"
told=()

# keep FILE [MODE]: the standard input, whole or not at all: a power cut may come at any moment.
keep() {
    cat >"$1.new"
    [ -s "$1.new" ] || return 1
    chmod "${2-600}" "$1.new"
    sync "$1.new"
    mv "$1.new" "$1"
    sync "$(dirname "$1")"
}

# given FILE: what lies on the boot partition under this name, without the line ends of Windows.
given() { [ -n "$boot" ] && [ -s "$boot/$1" ] && tr -d '\r' <"$boot/$1"; }

taken() { rm -f "$boot/$1" || told+=("$1 could not be removed from the boot partition: remove it yourself."); }

# set_password PASSWORD: the plain one for Grafana, which reads it on its first start; hashes for everything else.
set_password() {
    local hash
    hash=$(mkpasswd --method=bcrypt --rounds=10 --stdin <<<"$1")
    printf '%s:%s\n' "$user" "$hash" | keep "$state/users"
    printf '%s:%s\n' "$user" "$hash" | chpasswd --encrypted
    # Last: its presence says that all is done.
    printf '%s' "$1" | keep "$state/password"
}

if new=$(given password | head -n 1) && [ -n "$new" ]; then
    # bcrypt looks at no more than 72 bytes.
    length=$(printf '%s' "$new" | wc -c)
    if [ "$length" -lt 8 ] || [ "$length" -gt 72 ]; then
        told+=("The password on the boot partition has $length bytes, and 8 to 72 are needed: it was not taken.")
    else
        set_password "$new"
        rm -f "$state/made"
        taken password
    fi
fi
if [ ! -s "$state/password" ]; then
    echo yes | keep "$state/made"
    # 80 bits, in letters that look alike in no font.
    set_password "$(head -c 10 /dev/urandom | base32 | tr '[:upper:]' '[:lower:]' | sed 's/..../&-/g; s/-$//')"
fi

if given authorized_keys >"$console/keys"; then
    if ssh-keygen -l -f "$console/keys" >/dev/null 2>&1; then
        install -d -m 755 "$keys"
        # sshd reads it as the user.
        keep "$keys/$user" 644 <"$console/keys"
        taken authorized_keys
    else
        told+=("authorized_keys on the boot partition has no ssh key that can be read: it was not taken.")
    fi
fi

if given wifi >"$console/wifi"; then
    { read -r name && read -r passphrase; } <"$console/wifi" || [ -n "${passphrase-}" ] || passphrase=
    if [ "${#passphrase}" -ge 8 ] && [ "${#passphrase}" -le 63 ]; then
        # iwd's way of writing a name that is no file name.
        [[ $name =~ ^[A-Za-z0-9\ _-]+$ ]] || name="=$(printf '%s' "$name" | od -An -v -tx1 | tr -d ' \n')"
        mkdir -p "$wifi"
        printf '[Security]\nPassphrase=%s\n' "${passphrase//\\/\\\\}" | keep "$wifi/$name.psk"
        taken wifi
    else
        told+=("wifi on the boot partition needs two lines, the second a passphrase of 8 to 63 characters: it was not taken.")
    fi
fi
rm -f "$console/keys" "$console/wifi"

# agetty shows it before it asks for a name, with the address of the device instead of \4.
{
    printf '\nStatus   http://%s.local:8000  or  http://\\4:8000\n' "$(uname -n)"
    printf 'Grafana  http://%s.local:3000\n' "$(uname -n)"
    if [ -e "$state/made" ]; then
        printf 'User     %s\nPassword %s\n' "$user" "$(<"$state/password")"
    else
        printf 'User     %s, with the password that was given while flashing\n' "$user"
    fi
    [ ${#told[@]} = 0 ] || printf '\n%s\n' "${told[@]}"
    echo
} >"$console/issue"
# Who looks on has the device in hand; who logs in does not read the password from here.
chmod 600 "$console/issue"
[ ${#told[@]} = 0 ] || printf '<4>%s\n' "${told[@]}"
