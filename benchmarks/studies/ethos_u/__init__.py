"""Predictions for the Ethos-U held against the answers of Arm's compiler."""
