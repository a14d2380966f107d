#!/usr/bin/env bash
# Makes a Debian machine look to the rendered units as a NixOS would: the store with our files in it, links to Debian's programs
# where nixpkgs' would be, and a user.
# shellcheck source=vm-tests/scenarios/lib.sh
. "$(dirname "$0")/lib.sh"

DEBIAN_FRONTEND=noninteractive apt-get -qq --no-install-recommends install prometheus >/run/apt.log 2>&1 ||
    fail "apt-get install: $(cat /run/apt.log)"
# Debian enables its own.
systemctl --quiet disable --now prometheus.service
cp -a "$here/root/." /
cp "$here/mkpasswd" /usr/bin/

mkdir -p /opt/tools/bin
ln -s /usr/bin/prometheus /opt/tools/bin/
ln -s /nix/store/*-edgewatch-*/bin/edgewatch /usr/bin/
echo 'L /run/current-system/systemd - - - - /usr' >/etc/tmpfiles.d/nixos.conf
# What users.groups of the module would make.
groupadd --system edgewatch-sockets
useradd --create-home --gid users operator
sync
