"""Model files: manifest, labels, head, inspection."""
