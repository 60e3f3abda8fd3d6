"""What ships to be tried: ``shapes.keras``, made by `edgeseg.converter.shapes`."""
