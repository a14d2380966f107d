# The disk of the history runs full, and has room again. The disk is one of its own, as the option storage.dataPartition makes it.
{
  scenarios = [ "disk-full" ];

  nodes.machine = {
    virtualisation.emptyDiskImages = [ 256 ];
    services.edgewatch.storage.dataPartition = {
      device = "/dev/vdb";
      format = true;
    };
    virtualisation.fileSystems."/var/lib/prometheus2" = {
      device = "/dev/vdb";
      fsType = "ext4";
      autoFormat = true;
    };
  };
}
