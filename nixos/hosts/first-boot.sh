#!/usr/bin/env bash
# Who may come in. Runs at each boot of an image, before anything of the network:
#   first-boot BOOT_PARTITION
# Takes over what was put on the boot partition (of the flashed card, in another computer) and removes it from there:
#   password         a line: the password of the operator, for the pages, for Grafana's first start, and for the console
#   authorized_keys  ssh keys of the operator
#   wifi             two lines: name and passphrase of a wireless network, or its key as 64 hexadecimal digits
#   centre           where the device sends its history to, with its password there: what `edgewatch enrol` takes
# and makes a password if there is none yet. Editors of Windows add .txt to the name. Each thing is on the disk before it is removed
# from the partition; what cannot be used stays there, and the console says why.
set -euo pipefail
umask 077
# Lengths are counted in bytes, and letters are those of ASCII.
export LC_ALL=C

boot=$1
user=operator
root=${EDGEWATCH_ROOT-} # for the test
state=$root/var/lib/edgewatch-appliance
keys=$root/var/lib/edgewatch-keys
wifi=$root/var/lib/iwd
console=$root/run/edgewatch-appliance
mkdir -p "$state" "$console"
told=()

# The console is told whatever becomes of the rest: without the password that it shows, nobody comes in.
show() {
    local status=$?
    rm -f "$console/raw" "$console/given"
    [ $status = 0 ] || told+=("The first boot is not complete: journalctl -u edgewatch-first-boot says why.")
    # agetty shows it before it asks for a name, with the address of the device instead of \4.
    {
        printf '\nStatus   https://%s.local:8000  or  https://\\4:8000\n' "$(uname -n)"
        printf 'Grafana  http://%s.local:3000\n' "$(uname -n)"
        if [ ! -s "$state/password" ]; then
            printf 'User     %s, who has no password yet\n' "$user"
        elif [ -e "$state/made" ]; then
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
}
trap show EXIT

# keep FILE [MODE]: the standard input, whole or not at all: a power cut may come at any moment.
keep() {
    cat >"$1.new"
    [ -s "$1.new" ] || return 1
    chmod "${2-600}" "$1.new"
    sync "$1.new"
    mv "$1.new" "$1"
    sync "$(dirname "$1")"
}

# refuse NAME WHY
refuse() { told+=("$1 on the boot partition $2: it was not taken."); }

# given NAME: there is such a file on the boot partition, $file, and its text is in $console/given: as UTF-8, without the byte order
# mark and the line ends of Windows. PowerShell writes UTF-16. Of other encodings it cannot be known which it is, and a password
# that is not the one that was typed locks its owner out.
given() {
    local raw=$console/raw encoding=UTF-8 skip=1
    file=$boot/$1
    [ -f "$file" ] || file=$boot/$1.txt
    [ -n "$boot" ] && [ -s "$file" ] || return 1
    head -c 65537 "$file" >"$raw" || { refuse "$1" "cannot be read"; return 1; }
    [ "$(wc -c <"$raw")" -le 65536 ] || { refuse "$1" "is longer than 64 KiB"; return 1; }
    case $(head -c 3 "$raw" | od -An -v -tx1 | tr -d ' \n') in
    efbbbf) skip=4 ;;
    fffe* | feff*) encoding=UTF-16 ;;
    esac
    if ! tail -c "+$skip" "$raw" | iconv -f "$encoding" -t UTF-8 2>/dev/null | tr -d '\r' >"$console/given" ||
        [ "$(tr -cd '\0' <"$console/given" | wc -c)" != 0 ]; then
        refuse "$1" "is neither UTF-8 nor UTF-16: save it as UTF-8"
        return 1
    fi
}

taken() { rm -f "$file" || told+=("$1 could not be removed from the boot partition: remove it yourself."); }

# warn_of_spaces WHAT TEXT: they cannot be seen in an editor.
warn_of_spaces() { [[ $2 != [[:space:]]* && $2 != *[[:space:]] ]] || told+=("The $1 begins or ends with a space, which is part of it."); }

# set_password PASSWORD: the plain one for Grafana, which reads it on its first start; hashes for everything else.
set_password() {
    local hash
    hash=$(mkpasswd --method=bcrypt --rounds=10 --stdin <<<"$1")
    printf '%s:%s\n' "$user" "$hash" | keep "$state/users"
    printf '%s:%s\n' "$user" "$hash" | chpasswd --encrypted
    # Last: its presence says that all is done.
    printf '%s' "$1" | keep "$state/password"
}

if given password; then
    IFS= read -r new <"$console/given" || true
    # bcrypt looks at no more than 72 bytes.
    if [ ${#new} -lt 8 ] || [ ${#new} -gt 72 ]; then
        told+=("The password on the boot partition has ${#new} bytes, and 8 to 72 are needed: it was not taken.")
    else
        warn_of_spaces "password on the boot partition" "$new"
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

if given authorized_keys; then
    if ssh-keygen -l -f "$console/given" >/dev/null 2>&1; then
        install -d -m 755 "$keys"
        # sshd reads it as the user.
        keep "$keys/$user" 644 <"$console/given"
        taken authorized_keys
    else
        refuse authorized_keys "has no ssh key that can be read"
    fi
fi

if given wifi; then
    mapfile -t lines <"$console/given"
    name=${lines[0]-} passphrase=${lines[1]-} secret=
    # IEEE 802.11 and iwd know no others: 1 to 32 bytes of any kind, and 8 to 63 printable characters of ASCII.
    if [ -z "$name" ] || [ ${#name} -gt 32 ]; then
        refuse wifi "has a name of ${#name} bytes in its first line, and 1 to 32 are allowed"
    elif [[ $passphrase =~ ^[0-9A-Fa-f]{64}$ ]]; then
        secret=PreSharedKey=${passphrase,,}
    elif [[ $passphrase =~ ^[\ -~]{8,63}$ ]]; then
        # How iwd has a value written (iwd.network(5)): it drops spaces at the ends.
        secret=${passphrase//\\/\\\\}
        secret=${secret/#\ /\\s}
        secret=Passphrase=${secret/%\ /\\s}
    else
        refuse wifi "needs two lines, the second a passphrase of 8 to 63 characters of ASCII or a key of 64 hexadecimal digits"
    fi
    if [ -n "$secret" ]; then
        warn_of_spaces "name of the wireless network" "$name"
        warn_of_spaces "passphrase of the wireless network" "$passphrase"
        # iwd's way of writing a name that is no file name.
        [[ $name =~ ^[A-Za-z0-9\ _-]+$ ]] || name="=$(printf '%s' "$name" | od -An -v -tx1 | tr -d ' \n')"
        mkdir -p "$wifi"
        printf '[Security]\n%s\n' "$secret" | keep "$wifi/$name.psk"
        taken wifi
    fi
fi

# What is wrong with the file, enrol says; what is in it, nobody.
enrol() {
    edgewatch enrol --no-restart --directory "$state" --units "$root/run/systemd/system" --config "$root/etc/edgewatch/edgewatch.toml" "$1"
}

if given centre; then
    if why=$(enrol "$console/given" 2>&1); then
        keep "$state/centre" <"$console/given"
        taken centre
    else
        refuse centre "cannot be used (${why#edgewatch: })"
    fi
fi
# What is below /run is lost with each boot.
if [ -s "$state/centre" ]; then
    enrol "$state/centre" >/dev/null
    [ -n "$root" ] || systemctl daemon-reload
fi
