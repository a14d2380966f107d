# The package as Nix builds it: package.nix with nixpkgs' own stdenv and its own buildRustPackage and hooks, out of the crates of Cargo.lock,
# each held to the checksum that it has there. Of the machine that builds are the compilers, which a stand-in for nixpkgs lacks: /opt/rust in
# the sandbox has Rust's, /usr the C compiler. `crates` is the directory into which Cargo has fetched the crates.
{
  pkgs,
  crates,
}:
let
  inherit (pkgs) lib;
  support = pkgs.path + "/pkgs/build-support";
  # nixpkgs' own, where the stand-in has what can only be evaluated.
  trivial = import (support + "/trivial-builders") {
    inherit lib;
    inherit (pkgs)
      config
      jq
      lndir
      runtimeShell
      stdenv
      stdenvNoCC
      ;
    shellcheck-minimal = pkgs.shellcheck;
  };
  rust = pkgs.runCommand "rust" { meta.platforms = lib.platforms.linux; } ''
    mkdir $out
    ln -s /opt/rust/bin $out/bin
  '';
  fetchCrate =
    { name, sha256, ... }:
    let
      file = lib.removePrefix "crate-" (lib.removeSuffix ".tar.gz" name) + ".crate";
    in
    {
      outPath = builtins.path {
        inherit name sha256;
        path = crates + "/${file}";
        recursive = false;
      };
      outputHash = sha256;
    };
  scope = pkgs // {
    inherit (trivial) makeSetupHook;
    inherit callPackage;
    cargo = rust;
    rustc = rust;
    cargo-auditable.meta.broken = true;
    fetchurl = fetchCrate;
    # What nothing here uses.
    cargo-nextest = null;
    cargoNextestHook = null;
    clang = null;
    fetchCargoTarball = null;
    fetchgit = null;
    libiconv = null;
    maturin = null;
    windows = null;
    rust = callPackage (support + "/rust/lib") { };
    importCargoLock = callPackage (support + "/rust/import-cargo-lock.nix") { };
    installShellFiles = trivial.makeSetupHook { name = "install-shell-files"; } (
      support + "/setup-hooks/install-shell-files.sh"
    );
    rustPlatform = {
      buildRustPackage = callPackage (support + "/rust/build-rust-package") {
        inherit (hooks)
          cargoBuildHook
          cargoCheckHook
          cargoInstallHook
          cargoSetupHook
          ;
      };
    };
  };
  callPackage = lib.callPackageWith scope;
  hooks = callPackage (support + "/rust/hooks") {
    target = pkgs.stdenv.hostPlatform.rust.cargoShortTarget;
  };
in
callPackage ../../nixos/package.nix { }
