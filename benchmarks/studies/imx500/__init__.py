"""Accuracy and memory of networks that Sony's tools have made for the IMX500."""
