"""Where frames come from: the contract of sources and what they share."""
