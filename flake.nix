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
      builds = lib.mapAttrs (_: host: host.config.system.build) self.nixosConfigurations;
      demo =
        system:
        self.nixosConfigurations.demo-vm.extendModules {
          modules = [ { nixpkgs.hostPlatform = system; } ];
        };
    in
    {
      packages = eachSystem (
        pkgs: packages: {
          default = packages.edgewatch;
          edgewatch = pkgs.callPackage ./nixos/package.nix { };
          static = pkgs.pkgsStatic.callPackage ./nixos/package.nix { };
          options = (import ./nixos/options.nix { inherit pkgs; }).document;
          demo = pkgs.callPackage ./nixos/demo.nix {
            inherit ((demo pkgs.stdenv.hostPlatform.system).config.system.build) vm;
          };
          sd-image = builds.raspberry-pi.sdImage;
          disk-image = builds.x86_64.diskImage;
          vm-image = builds.x86_64.vmImage;
        }
      );

      apps = eachSystem (
        pkgs: packages: {
          default = {
            type = "app";
            program = lib.getExe packages.demo;
            meta.description = "Boot the appliance in a virtual machine";
          };
          publish = {
            type = "app";
            program = lib.getExe (pkgs.callPackage ./nixos/publish.nix { });
            meta.description = "Publish a system for devices that update themselves";
          };
        }
      );

      overlays.default = final: _: { edgewatch = final.callPackage ./nixos/package.nix { }; };

      nixosModules.default = ./nixos;
      nixosModules.centre = ./nixos/centre.nix;

      nixosConfigurations = lib.genAttrs [ "raspberry-pi" "x86_64" "demo-vm" ] (
        host: lib.nixosSystem { modules = [ ./nixos/hosts/${host}.nix ]; }
      );

      checks = eachSystem (
        pkgs: packages:
        let
          inherit (pkgs.stdenv.hostPlatform) system;
          # Those that this system can build.
          hosts = lib.filterAttrs (
            _: host: host.pkgs.stdenv.hostPlatform.system == system
          ) self.nixosConfigurations;
        in
        {
          package = packages.edgewatch;
          inherit (packages) static options demo;
        }
        // lib.mapAttrs' (
          name: host: lib.nameValuePair "host-${name}" host.config.system.build.toplevel
        ) hosts
        // import ./nixos/checks.nix {
          inherit pkgs;
          inherit (packages) edgewatch;
        }
        // import ./vm-tests { inherit pkgs; }
      );

      # For builders that have no KVM, and time: nix build .#vm-tests-without-kvm.vm-stack
      legacyPackages = eachSystem (
        pkgs: _: {
          vm-tests-without-kvm = import ./vm-tests {
            inherit pkgs;
            kvm = false;
          };
        }
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
