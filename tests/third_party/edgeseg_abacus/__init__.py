"""A device and a compiler that edgeseg finds by their entry points."""
