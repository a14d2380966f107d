#!/usr/bin/env python3
"""Makes a stand-in for nixpkgs whose configurations boot over Debian's programs, from one that only evaluates.

usage: stand-in.py STAND_IN DEBIAN_ROOT OUT
OUT becomes a copy of STAND_IN/nixpkgs: its packages are links to Debian's /usr, so units, rules of tmpfiles and everything else that a
package brings come from Debian's systemd, and only ours from ourselves. Of those packages that our units have in their PATH, bin/ has
what the package has and no more: a unit whose path lacks a package finds nothing of it. Each edit must match exactly as often as it says,
so that a tree of another date fails loudly."""

import json
import shutil
import sys
from pathlib import Path

source, debian, tree = Path(sys.argv[1]) / "nixpkgs", Path(sys.argv[2]), Path(sys.argv[3])
shutil.rmtree(tree, ignore_errors=True)
shutil.copytree(source, tree, symlinks=True)


def edit(path: str, old: str, new: str, times: int = 1) -> None:
    file = tree / path
    text = file.read_text()
    if text.count(old) != times:
        raise SystemExit(f"{file}: {text.count(old)} times instead of {times}: {old!r}")
    file.write_text(text.replace(old, new))


OURS = 'lib.filter (p: lib.hasPrefix "edgewatch" (p.name or ""))'

# NixOS' packages in a unit's PATH, those of every unit first, and Debian's with the same programs; or programs that Debian has elsewhere.
PACKAGES = {
    "coreutils": ["coreutils", "/kill"],
    "findutils": ["findutils"],
    "gnugrep": ["grep"],
    "gnused": ["sed"],
    "curl": ["curl"],
    "dosfstools": ["dosfstools"],
    "glibc": ["libc-bin"],
    "mkpasswd": ["/mkpasswd"],
    "nix": ["nix-bin"],
    "openssh": ["openssh-client", "openssh-server"],
    "shadow": ["passwd", "login"],
    "sudo": ["sudo"],
    "systemd": ["systemd", "systemd-sysv", "systemd-boot-tools", "udev"],
    "util-linux": ["util-linux", "util-linux-extra", "mount"],
}
PROGRAMS = ("/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/")


def programs(package: str) -> list[str]:
    if package.startswith("/"):
        return [package[1:]]
    files = (debian / f"var/lib/dpkg/info/{package}.list").read_text().split()
    return [Path(file).name for file in files if file.startswith(PROGRAMS)]


has = {name: sorted({program for package in packages for program in programs(package)}) for name, packages in PACKAGES.items()}
(tree / "fake/programs.json").write_text(json.dumps(has))
edit("fake/stub.nix", "  mk = path: children:\n", "  has = lib.importJSON ./programs.json;\n  mk = path: children:\n")
edit(
    "fake/stub.nix",
    '/bin/ln -s ${toolDirs.${attrPath} or "/usr/bin"} $out/bin; /bin/ln -s /usr/sbin $out/sbin;',
    """${
          if has ? ${attrPath} then
            "/bin/mkdir $out/bin; for program in ${toString has.${attrPath}}; do /bin/ln -s /usr/bin/$program $out/bin/; done; /bin/ln -s bin $out/sbin"
          else
            "/bin/ln -s ${toolDirs.${attrPath} or "/usr/bin"} $out/bin; /bin/ln -s /usr/sbin $out/sbin"
        };""",
)

# Units of packages: only ours.
edit("nixos/modules/system/boot/systemd.nix", "packages = cfg.packages;", f"packages = {OURS} cfg.packages;")
LIBRARY = "nixos/lib/systemd-lib.nix"
# Debian's systemd lacks some units that NixOS lists.
edit(
    LIBRARY,
    'if ! [ -e $fn ]; then echo "missing $fn"; false; fi',
    'if ! [ -e $fn ] && ! [ -L $fn ]; then echo "missing $fn"; continue; fi',
    times=2,
)
# D-Bus' package is no package of ours, and nothing works without it.
edit(
    LIBRARY,
    '      packages="${toString packages}"\n',
    f"""      for i in dbus.service dbus.socket; do
        [ ${{type}} = initrd ] || [ ${{type}} = nspawn ] || ln -s ${{package}}/example/systemd/${{typeDir}}/$i $out/
      done

      packages="${{toString ({OURS} packages)}}"
""",
)
edit(
    "nixos/modules/system/boot/systemd/tmpfiles.nix",
    'paths = map (p: p + "/lib/tmpfiles.d") cfg.packages;',
    'paths = map (p: p + "/lib/tmpfiles.d") (lib.filter (p: !(p.__isStub or false)) cfg.packages);',
)
# The script is checked by the Perl of the machine that builds, which lacks its modules.
switch = tree / "nixos/modules/system/activation/switchable-system.nix"
before, check, after = switch.read_text().partition("perl -c")
if not check or "exit 1" not in after:
    raise SystemExit(f"{switch}: no check by perl -c")
switch.write_text(before + check + after.replace("exit 1", "true", 1))

# Nor has it a type checker.
edit("nixos/modules/system/boot/loader/systemd-boot/systemd-boot.nix", "${lib.getExe pkgs.buildPackages.mypy} ", "true ")
edit(
    "fake/special.nix",
    '  systemd = stub "systemd" // { override = _: self.systemd; };\n',
    """  systemd =
    let
      tree = builtins.path { path = ./systemd; name = "systemd-257"; };
      same = stub "systemd" // { outPath = "${tree}"; override = _: same; overrideAttrs = _: same; out = same; bin = same; dev = same; lib = same; man = same; };
    in
    same;
""",
)
# What NixOS expects of systemd's package, out of Debian's files.
systemd = tree / "fake/systemd"
example = systemd / "example"
for kind in ("system", "user"):
    shutil.copytree(debian / "usr/lib/systemd" / kind, example / "systemd" / kind, symlinks=True)
for kind in ("tmpfiles.d", "sysusers.d", "sysctl.d"):
    if (debian / "usr/lib" / kind).is_dir():
        shutil.copytree(debian / "usr/lib" / kind, example / kind, symlinks=True)
(example / "sysctl.d").mkdir(exist_ok=True)
(example / "sysctl.d/50-coredump.conf").touch()
for name in ("lib", "share"):
    (systemd / name).symlink_to(f"/usr/{name}")
(systemd / "bin").mkdir()
(systemd / "sbin").symlink_to("bin")
for name in has["systemd"]:
    (systemd / "bin" / name).symlink_to(f"/usr/bin/{name}")
