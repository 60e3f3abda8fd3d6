"""Where results go: the contract of sinks and what they share."""
