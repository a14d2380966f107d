{
  description = "Observability appliance for edge devices: sensors, Prometheus and Grafana inside 300 MB and 2 cores";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      eachSystem =
        output:
        lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (
          system: output nixpkgs.legacyPackages.${system} self.packages.${system}
        );
    in
    {
      packages = eachSystem (
        pkgs: packages: {
          default = packages.edgewatch;
          edgewatch = pkgs.callPackage ./nixos/package.nix { };
          static = pkgs.pkgsStatic.callPackage ./nixos/package.nix { };
          sd-image = self.nixosConfigurations.raspberry-pi.config.system.build.sdImage;
        }
      );

      overlays.default = final: _: { edgewatch = final.callPackage ./nixos/package.nix { }; };

      nixosModules.default = ./nixos;

      nixosConfigurations = lib.genAttrs [ "x86_64" "raspberry-pi" ] (
        host: lib.nixosSystem { modules = [ ./nixos/hosts/${host}.nix ]; }
      );

      checks = eachSystem (
        pkgs: packages:
        {
          package = packages.edgewatch;
          inherit (packages) static;
        }
        // import ./nixos/checks.nix { inherit pkgs; }
        // import ./vm-tests { inherit pkgs; }
      );

      formatter = eachSystem (pkgs: _: pkgs.nixfmt-tree);

      devShells = eachSystem (
        pkgs: packages: {
          default = pkgs.mkShell {
            inputsFrom = [ packages.edgewatch ];
            packages = [
              pkgs.clippy
              pkgs.rustfmt
              pkgs.prometheus
              pkgs.prometheus.cli
              pkgs.shellcheck
            ];
          };
        }
      );
    };
}
