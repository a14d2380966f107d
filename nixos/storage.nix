# What wears the card or disk, and where the history lies.
{
  config,
  lib,
  options,
  ...
}:
let
  inherit (lib) types;
  inherit (config.services) edgewatch;
  cfg = edgewatch.storage;
  # Others do not know the option, and would not be mounted.
  oncePerMinute =
    fsType:
    lib.optional (lib.elem fsType [
      "ext4"
      "btrfs"
    ]) "commit=60";
  history = "/var/lib/${config.services.prometheus.stateDir}";
in
{
  options.services.edgewatch.storage = {
    volatileJournal = lib.mkOption {
      type = types.bool;
      default = false;
      example = true;
      description = ''
        Whether the journal is kept in memory instead of on the disk: it writes more than everything else on a quiet device. What was
        logged before a restart is then lost; the metrics are not.
      '';
    };

    journalSize = lib.mkOption {
      type = types.strMatching "[0-9]+[KMG]";
      default = "16M";
      example = "32M";
      description = "Most memory of a volatile journal. It is outside of the stack's budget.";
    };

    noatime = lib.mkOption {
      type = types.bool;
      default = false;
      example = true;
      description = "Whether reading a file writes nothing: `noatime` for the root file system.";
    };

    lazyCommit = lib.mkOption {
      type = types.bool;
      default = false;
      example = true;
      description = ''
        Whether the device writes late, and so less: what is written rests in memory for two minutes instead of 30 seconds, and the root file
        system, if it is ext4 or btrfs, writes its journal once a minute instead of every five seconds. A power cut then takes the last
        three minutes of what was not written with fsync(2): of the history, of logs, of what was changed by hand.
      '';
    };

    dataPartition = {
      device = lib.mkOption {
        type = types.nullOr (types.strMatching "/dev/.+");
        default = null;
        example = "/dev/disk/by-label/edgewatch-data";
        description = ''
          Partition for Prometheus' history, so that it neither fills nor wears the root file system. If it cannot be mounted the device
          starts all the same, without Prometheus. What is written rests in memory for two minutes, and as ext4 or btrfs the partition writes
          its journal once a minute: less wear, and a power cut takes the last three minutes of the history. The two minutes hold for the
          other disks as well.
        '';
      };

      fsType = lib.mkOption {
        type = types.enum [
          "ext4"
          "xfs"
          "btrfs"
          "f2fs"
        ];
        default = "ext4";
        example = "f2fs";
        description = "File system of the partition.";
      };

      format = lib.mkOption {
        type = types.bool;
        default = false;
        example = true;
        description = "Whether to make the file system if the partition bears none.";
      };
    };
  };

  config = lib.mkIf edgewatch.enable {
    services.journald = lib.mkIf cfg.volatileJournal (
      # From NixOS 26.11 on there are only settings.
      if options.services.journald ? settings then
        {
          settings.Journal = {
            Storage = "volatile";
            RuntimeMaxUse = cfg.journalSize;
          };
        }
      else
        {
          storage = "volatile";
          extraConfig = "RuntimeMaxUse=${cfg.journalSize}";
        }
    );

    boot.kernel.sysctl = lib.mkIf (cfg.lazyCommit || cfg.dataPartition.device != null) {
      "vm.dirty_expire_centisecs" = lib.mkDefault 12000;
    };

    fileSystems = lib.mkMerge [
      (lib.mkIf cfg.noatime { "/".options = [ "noatime" ]; })
      (lib.mkIf cfg.lazyCommit { "/".options = oncePerMinute config.fileSystems."/".fsType; })
      (lib.mkIf (cfg.dataPartition.device != null) {
        ${history} = {
          inherit (cfg.dataPartition) device fsType;
          autoFormat = cfg.dataPartition.format;
          options = [
            "noatime"
            # A device whose second disk is broken must still tell of it.
            "nofail"
            "x-systemd.device-timeout=30s"
          ]
          ++ oncePerMinute cfg.dataPartition.fsType;
        };
      })
    ];

    # It goes by the option's definition, not by the value: 16M may be meant.
    warnings =
      lib.optional
        (!cfg.volatileJournal && options.services.edgewatch.storage.journalSize.highestPrio < 1500)
        ''
          services.edgewatch.storage.journalSize holds for a journal in memory only.
          Set services.edgewatch.storage.volatileJournal = true, or leave it out.
        '';
  };
}
