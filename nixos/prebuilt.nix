# The package as package.nix installs it, with programs that Cargo has built, for machines that cannot build it with Nix; and without manual
# pages, which Cargo's program would write. `binary` is edgewatch, `dashboards` edgewatch-dashboards, `outbound` edgewatch-outbound.
{
  pkgs,
  binary,
  dashboards,
  outbound,
}:
let
  inherit
    (pkgs.callPackage ./package.nix {
      rustPlatform.buildRustPackage = pkgs.lib.id;
      stdenv.buildPlatform.canExecute = _: false;
      stdenv.hostPlatform = null;
      installShellFiles = null;
    })
    postInstall
    src
    version
    ;
in
pkgs.runCommand "edgewatch-${version}"
  {
    inherit version;
    meta.mainProgram = "edgewatch";
  }
  ''
    install -Dm755 ${binary} $out/bin/edgewatch
    install -Dm755 ${dashboards} $out/bin/edgewatch-dashboards
    install -Dm755 ${outbound} $out/bin/edgewatch-outbound
    cp -r ${src}/. source
    chmod -R u+w source
    cd source
    ${postInstall}
  ''
