"""A board over SSH: deploy to it, run and measure there, bring the results back."""
