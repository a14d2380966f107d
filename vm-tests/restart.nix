# Restarts, reloads and kills lose no scrape and no history.
{
  scenarios = [
    "restart"
    "kill"
  ];
}
