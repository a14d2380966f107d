# A Prometheus that takes samples of the user `machine`, with the password `opensesame`, in any order: after an outage the newest come before
# the oldest.
{ config, ... }:
{
  services.edgewatch.enable = false;
  services.prometheus = {
    enable = true;
    extraFlags = [ "--web.enable-remote-write-receiver" ];
    webConfigFile = "/etc/web.yml";
    checkConfig = "syntax-only";
    configText = "storage: {tsdb: {out_of_order_time_window: 7d}}\n";
  };
  environment.etc."web.yml".text = ''
    basic_auth_users:
      machine: $2b$05$XKF9AX3b8wKE2D61bYVAguGQFQcR/FLOXVkmjvpO8K.3gfMAPntBe
  '';
  networking.firewall.allowedTCPPorts = [ config.services.prometheus.port ];
}
