# A kernel that cannot hold the budget, as a Raspberry Pi's firmware would have it: the stack works, and says so wherever one looks.
{ lib, ... }:
{
  scenarios = [ "blind" ];

  # The last one counts.
  nodes.machine.boot.kernelParams = lib.mkAfter [
    "cgroup_disable=memory"
    "psi=0"
  ];
}
