# Units that stand still or whose sensors hang are started anew.
{
  scenarios = [
    "freeze"
    "stuck"
  ];
}
