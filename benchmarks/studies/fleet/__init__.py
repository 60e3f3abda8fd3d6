"""What a fleet costs: simulated boards on a real broker, and sums on paper."""
