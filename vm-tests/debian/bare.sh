# A machine without a distribution: a kernel of Debian trixie's, busybox and the program, for what only a kernel shows.
# For scripts that source it after scripts/debian.sh, with the directory of the project as theirs.
# shellcheck shell=bash

skip() { echo "$*"; exit 77; }

# fetch ARCH PACKAGE…: sets made, a directory with the unpacked kernel, busybox, C library and these, and kernel and version.
fetch() {
    local arch=$1 tool
    shift
    for tool in cpio depmod xz; do has "$tool" || skip "no $tool, which the machine's root is made with: scripts/setup vm brings it"; done
    made=target/vm/bare-$arch-$(declare -f unpacked | cat - <(echo "$@") | sha256sum | cut -c 1-16)
    if [ ! -d "$made" ]; then
        rm -rf "target/vm/bare-$arch"-*
        mkdir -p target/vm
        unpacked "$arch" "$made.new" "$@" || { rm -rf "$made.new" && skip "Debian trixie's kernel for $arch cannot be had"; }
        mv "$made.new" "$made"
    fi
    kernel=$(find "$made/boot" -name 'vmlinuz-*')
    version=${kernel#*vmlinuz-}
}
unpacked() (
    ask_release trixie "$1"
    # shellcheck disable=SC2154 # ask_release's
    newest=$(closure "linux-image-$1:$1" 2>>"$temp/log" | grep --max-count=1 "^linux-image-[0-9].*-$1") ||
        die "apt knows no kernel of Debian trixie for $1: $(cat "$temp/log")"
    unpack "$2" "$newest" "busybox-static:$1" "libc6:$1" "libgcc-s1:$1" "${@:3}"
)

# begin_root ARCH [PROGRAM]: sets work, which goes at the end, and root, which has what fetch brought but for modules and init, and
# the program; without one, that of the package in target/debian.
begin_root() {
    local library program=${2-} package
    work=$(mktemp -d "$PWD/target/vm/bare.XXXXXX")
    machine=''
    # A machine that has powered off is none to end.
    trap '[ -z "$machine" ] || kill -KILL "$machine" 2>/dev/null || true; rm -rf "$work"' EXIT
    trap 'exit 130' INT TERM
    root=$work/root
    mkdir -p "$root"/{bin,proc,sys,dev,run,tmp,lib,lib64,usr/lib,mnt} "$root/lib/modules/$version/kernel/drivers"
    cp "$made/usr/bin/busybox" "$root/bin/"
    for library in ld-linux-aarch64.so.1 ld-linux-x86-64.so.2 libc.so.6 libm.so.6 libgcc_s.so.1; do
        find "$made" -name "$library" -exec cp -L {} "$root/lib/" \; -quit
    done
    cp "$root"/lib/ld-linux-* "$root/lib64/"
    if [ -z "$program" ]; then
        package=$(vm-tests/debian/package "$1") || skip "$package"
        dpkg-deb --fsys-tarfile "$package" | tar --extract --directory "$work" ./usr/bin/edgewatch
        program=$work/usr/bin/edgewatch
    fi
    cp "$program" "$root/bin/edgewatch"
}

# end_root: packs root, its init among it, into $work/initrd.
end_root() {
    cp "$(modules)"/modules.{builtin,builtin.modinfo,order} "$root/lib/modules/$version/"
    # As busybox can load them.
    find "$root/lib/modules" -name '*.ko.xz' -exec xz --decompress {} +
    depmod --basedir "$root" "$version" 2>/dev/null
    chmod 755 "$root/init"
    (cd "$root" && find . | cpio --quiet --create --format newc | gzip -1) >"$work/initrd"
}
modules() { find "$made" -type d -path "*/lib/modules/$version" | head -n 1; }

# run LOG COMMAND…: the emulator, until the machine has said END or ended, or $EDGEWATCH_PATIENCE seconds have passed.
run() {
    local log=$1 start=$SECONDS
    shift
    "$@" </dev/null >"$log.qemu" 2>&1 &
    machine=$!
    until grep --text -qs '^END\>' "$log"* || ! kill -0 "$machine" 2>/dev/null || [ $((SECONDS - start)) -ge "${EDGEWATCH_PATIENCE:-900}" ]; do sleep 1; done
    { kill -KILL "$machine" && wait "$machine"; } 2>/dev/null || true
    machine=''
    [ ! -e "$log.2" ] || { cat "$log.2" >>"$log" && rm "$log.2"; }
    sed -i 's/\r$//' "$log"
    echo "the machine has said all after $((SECONDS - start)) s" >>"$log"
}

passed=0 failed=0
# verdict ok|FAILED WHAT WHY
verdict() {
    printf '%-52s %-6s  %s\n' "$2" "$1" "$3"
    if [ "$1" = ok ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}
line=''
# shows WHAT PATTERN, hides WHAT PATTERN: a line of $log is so, or none is (grep -E).
shows() { if said "$2"; then verdict ok "$1" "$line"; else verdict FAILED "$1" "nothing like $2"; fi; }
hides() { if said "$2"; then verdict FAILED "$1" "$line"; else verdict ok "$1" "no $2"; fi; }
said() { line=$(grep --text -m 1 -E -- "$1" "$log"); }
summary() {
    echo
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
}
