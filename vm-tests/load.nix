# Hammered pages, heavy queries, a flood in the journal, and another program that takes all memory.
{
  scenarios = [
    "load"
    "journal"
    "pressure"
  ];
}
