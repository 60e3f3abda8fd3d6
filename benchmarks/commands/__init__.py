"""Commands that measure: parse, call, print."""
