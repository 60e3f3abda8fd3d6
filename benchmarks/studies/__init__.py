"""Studies behind published figures; run from a checkout, not installed."""
