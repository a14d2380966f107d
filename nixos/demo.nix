# `nix run`: boots the appliance in a virtual machine and says where to look.
{ writeShellScriptBin, vm }:
writeShellScriptBin "edgewatch-demo" ''
  set -euo pipefail
  state=''${XDG_STATE_HOME:-$HOME/.local/state}/edgewatch-demo
  mkdir -p "$state"
  for port in 8000 3000 2222; do
    if (: </dev/tcp/127.0.0.1/$port) 2>/dev/null; then
      echo "port $port is taken: end what listens there (ss -ltnp), and run this again" >&2
      exit 1
    fi
  done

  cat <<TEXT
  Boots the edgewatch appliance: 2 CPUs and 768 MB. As soon as it asks for a login:

    http://127.0.0.1:8000    status, with the user and password that are shown above the login
    http://127.0.0.1:3000    Grafana, started by your first visit

  To end it: log in with the same user and password, and say sudo poweroff; or Ctrl-a x.
  Its disk stays in $state: remove that to begin anew.

  TEXT
  export NIX_DISK_IMAGE=$state/disk.qcow2
  exec ${vm}/bin/run-*-vm "$@"
''
