{
  lib,
  stdenv,
  rustPlatform,
  installShellFiles,
}:
let
  # A cross compiler's program cannot write its own manual on the machine that builds it.
  canExecute = stdenv.buildPlatform.canExecute stdenv.hostPlatform;
in
rustPlatform.buildRustPackage {
  pname = "edgewatch";
  inherit ((lib.importTOML ../Cargo.toml).workspace.package) version;

  # Beside the sources what include_str! and a test read, the units, and what checks.nix judges the sources by.
  src = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [
      ../Cargo.toml
      ../Cargo.lock
      ../build.rs
      ../clippy.toml
      ../rustfmt.toml
      ../README.md
      ../docs/notifications.md
      ../src
      ../crates
      ../examples
      ../budget.toml
      ../prometheus
      ../grafana-dashboards
      ../systemd
    ];
  };
  cargoLock.lockFile = ../Cargo.lock;

  nativeBuildInputs = [ installShellFiles ];
  cargoBuildFlags = [
    "--bin=edgewatch"
    "--bin=edgewatch-dashboards"
    "--bin=edgewatch-outbound"
    "--example=manual"
    "--example=notices"
  ];
  # Those in tests/ want a Prometheus, ports and time; `make test` runs them.
  cargoTestFlags = [
    "--workspace"
    "--lib"
    "--no-fail-fast"
  ];

  postInstall = ''
    units=$out/lib/systemd/system
    install -Dm644 -t $units systemd/*.{slice,socket,service,timer}
    install -Dm644 -t $out/lib/udev/rules.d systemd/*.rules
    install -Dm644 -t $units/prometheus.service.d systemd/prometheus.service.d/*.conf
    # Not those of Grafana, which may be there for something else: grafana.nix.
    for unit in edgewatch edgewatch-{dashboards,grafana,outbound,probe} prometheus; do
      install -Dm644 -t $units/$unit.service.d systemd/10-edgewatch-sandbox.conf
    done

    substituteInPlace $units/*.service --replace-quiet /usr/bin/edgewatch $out/bin/edgewatch
    # systemd is that of the running system: built into this package, another one would come along with it.
    substituteInPlace $units/edgewatch-grafana.service \
      --replace-fail grafana-server.service grafana.service \
      --replace-fail /usr/lib/systemd/ /run/current-system/systemd/lib/systemd/
    substituteInPlace $units/edgewatch-probe.service \
      --replace-fail 'systemctl kill' '/run/current-system/systemd/bin/systemctl kill'
    # Whether there is a Grafana is known when the system is built.
    sed -i '/^# Where Grafana is not installed/d; /^ConditionPathExists=/d' $units/edgewatch-grafana.socket
    if grep -rnE '^[^#]*/usr/' $units; then
      echo "a unit names a place that NixOS does not have" >&2
      exit 1
    fi
  ''
  + lib.optionalString canExecute ''
    target/${stdenv.hostPlatform.rust.cargoShortTarget}/release/examples/manual manual
    installManPage manual/*.1
    mkdir -p $out/share/doc/edgewatch
    target/${stdenv.hostPlatform.rust.cargoShortTarget}/release/examples/notices \
      ${stdenv.hostPlatform.rust.rustcTarget} >$out/share/doc/edgewatch/THIRD-PARTY
    installShellCompletion --bash manual/edgewatch.bash --fish manual/edgewatch.fish --zsh manual/_edgewatch
  '';

  meta = {
    description = "Observability appliance for edge devices: the sensor service and its commands";
    license = lib.licenses.mit;
    mainProgram = "edgewatch";
    platforms = lib.platforms.linux;
  };
}
