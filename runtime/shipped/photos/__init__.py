"""Photos to try things with; `ATTRIBUTION.md` says whose they are."""
