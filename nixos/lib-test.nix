# The functions that several subjects need, on what they meet.
{ lib }:
let
  inherit (import ./lib.nix { inherit lib; })
    bytes
    endpoint
    isLoopback
    milliseconds
    reach
    ;
in
lib.runTests {
  testBytes = {
    expr = map bytes [
      "0"
      "512"
      "24M"
      "1G"
    ];
    expected = [
      0
      512
      25165824
      1073741824
    ];
  };

  testMilliseconds = {
    expr = map milliseconds [
      "500ms"
      "15s"
      "1m30s"
      "12h"
    ];
    expected = [
      500
      15000
      90000
      43200000
    ];
  };

  # What a sandbox must let through beside the device itself.
  testReach = {
    expr = reach [
      "192.168.1.1:9100"
      "http://192.168.1.1:9090/api/v1/write"
      "[fd00::1]:9100"
      "https://[fd00::1]/write"
      "localhost:9100"
      "127.0.0.1:9100"
      "http://[::1]:9100/metrics"
      "router.lan:9100"
      "https://user:secret@metrics.example.org/write"
    ];
    expected = [
      "192.168.1.1"
      "fd00::1"
      "any"
    ];
  };

  testEndpoint = {
    expr = [
      (endpoint "127.0.0.1" 80)
      (endpoint "::1" 80)
    ];
    expected = [
      "127.0.0.1:80"
      "[::1]:80"
    ];
  };

  testIsLoopback = {
    expr = map isLoopback [
      "127.0.0.1"
      "::1"
      "0.0.0.0"
      "::"
      "192.168.1.5"
    ];
    expected = [
      true
      true
      false
      false
      false
    ];
  };
}
