"""What happens where: things followed over frames, zones, lines and their events."""
