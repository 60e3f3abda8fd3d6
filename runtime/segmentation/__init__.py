"""From a frame to class ids."""
