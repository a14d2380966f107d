# Two devices under one name, as the copy of a card makes them: the centre tells of it, once it cannot be one device that was restarted.
{ lib, ... }:
let
  device.services.edgewatch = {
    enable = true;
    grafana.mode = "off";
  };
in
{
  # A centre can be a device too: here that spares a machine.
  nodes.centre = {
    imports = [
      ./lib/centre.nix
      device
    ];
    services.edgewatch-centre.grafana = false;
  };
  nodes.machine = device;

  testScript = lib.readFile ./lib/prelude.py + lib.readFile ./lib/centre.py + ''
    def let_pass(minutes: int) -> None:
        for device in [centre, machine]:
            device.succeed(f"date --set '+{minutes} min' >&2")
        # What evaluates rules counts the time since its start, and not by the clock.
        centre.succeed("systemctl restart edgewatch-centre-rules.service")


    start_all()
    centre.wait_for_unit("multi-user.target")
    ca = certify()
    wait_until_up()
    for device in [centre, machine]:
        enrol(device, ca, "gate-7")

    with subtest("two that send under one name may be one that was restarted"):
        wait_until_stored('count(group by (boot) (last_over_time(edge_boot_info{edge="gate-7"}[35m]))) == 2')
        wait_until_stored('edge:seen:state{edge="gate-7"} == 1')
        same(stored('ALERTS{alertname="ClonedName"}'), [])

    with subtest("half an hour later they are two, and the centre tells of it"):
        let_pass(36)
        wait_until_stored('ALERTS{alertname="ClonedName",edge="gate-7"}')
        let_pass(6)
        wait_until_stored('ALERTS{alertname="ClonedName",edge="gate-7",alertstate="firing",severity="critical"}')
  '';
}
