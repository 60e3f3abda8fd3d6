"""What is in a data set: classes, sizes, faults, doubles; a contact sheet, a copy."""
