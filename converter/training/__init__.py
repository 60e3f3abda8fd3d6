"""Fine-tuning: from weights and pictures with masks to a network of new classes."""
