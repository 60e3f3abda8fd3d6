"""Label sets as data: one JSON file each, named as the user types it."""
