"""Commands of the workstation: parse, call, print."""
