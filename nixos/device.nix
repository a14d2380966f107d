# What the stack wants of the device below it: a kernel that enforces and measures, a reset when that hangs, swap in memory.
{ config, lib, ... }:
let
  inherit (lib) types;
  inherit (import ./lib.nix { inherit lib; }) bytes;
  cfg = config.services.edgewatch;
  inherit (cfg.budget) total;

  # A NixOS without anything else on it, with some page cache left to it.
  rest = "150M";
  inherit (cfg.device) cpus memory;
  quota = lib.toInt (lib.removeSuffix "%" total.cpu_quota);
in
{
  options.services.edgewatch = {
    device = {
      memory = lib.mkOption {
        type = types.nullOr (types.strMatching "[0-9]+[MG]");
        default = null;
        example = "512M";
        description = "Memory of the device, if you want to be warned of a budget that it cannot hold.";
      };

      cpus = lib.mkOption {
        type = types.nullOr types.ints.positive;
        default = null;
        example = 4;
        description = "CPUs of the device, if you want to be warned of a budget that it cannot hold.";
      };
    };

    watchdog = {
      enable = lib.mkOption {
        type = types.bool;
        default = false;
        example = true;
        description = ''
          Whether the hardware resets the device when the kernel or systemd hangs, and a kernel that panics restarts after ten seconds.
        '';
      };

      timeout = lib.mkOption {
        type = types.ints.between 5 600;
        default = 15;
        example = 60;
        description = "Seconds without a sign of life until the reset. A Raspberry Pi's watchdog knows no more than 15.";
      };
    };

    zram = {
      enable = lib.mkOption {
        type = types.bool;
        default = false;
        example = true;
        description = ''
          Whether the rest of the system may swap to compressed memory, which half a gigabyte needs to unpack an update beside the stack.
          The stack itself does not swap: its budget says so.
        '';
      };

      percent = lib.mkOption {
        type = types.ints.between 1 200;
        default = 50;
        example = 100;
        description = "Size of the swap, before compression, in percent of the memory.";
      };
    };
  };

  config = lib.mkIf cfg.enable {
    # A Raspberry Pi enforces no limit of memory without the first, and some kernels measure no pressure without the second.
    boot.kernelParams = [
      "cgroup_enable=memory"
      "psi=1"
    ];

    systemd.settings.Manager = lib.mkIf cfg.watchdog.enable {
      RuntimeWatchdogSec = "${toString cfg.watchdog.timeout}s";
    };
    boot.kernel.sysctl = lib.mkIf cfg.watchdog.enable { "kernel.panic" = lib.mkDefault 10; };

    # A power cut soon after an update would leave empty files in the system that is to start next. Lix does not know the setting.
    nix.settings = lib.mkIf (config.nix.enable && lib.getName config.nix.package == "nix") {
      fsync-store-paths = lib.mkDefault true;
    };

    zramSwap = lib.mkIf cfg.zram.enable {
      enable = true;
      memoryPercent = cfg.zram.percent;
    };

    warnings =
      lib.optional (memory != null && bytes total.memory_max + bytes rest > bytes memory) ''
        services.edgewatch.budget.total.memory_max = "${total.memory_max}" leaves a device of ${memory} less than the ${rest} that the rest of
        the system needs. Lower the budget (the units' memory_max first), or set services.edgewatch.grafana.mode = "off" and lower it then.
      ''
      ++ lib.optional (cpus != null && quota > cpus * 100) ''
        services.edgewatch.budget.total.cpu_quota = "${total.cpu_quota}" is more than the ${toString cpus} CPUs of the device can give, so it
        never holds anything back. Lower it.
      '';
  };
}
