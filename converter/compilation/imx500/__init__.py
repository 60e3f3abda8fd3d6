"""What Sony's tools for the IMX500 are given, and what they answer."""
