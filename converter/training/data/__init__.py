"""Pictures and masks on their way into a training: splits, classes, batches."""
