# `nix run .#publish`: puts a system into a binary cache, and a signed manifest beside it.
{
  jq,
  nix,
  openssl,
  writeShellApplication,
}:
writeShellApplication {
  name = "edgewatch-publish";
  runtimeInputs = [
    jq
    nix
    openssl
  ];
  text = builtins.readFile ./publish.sh;
  meta.description = "Publish a system for devices that update themselves";
}
