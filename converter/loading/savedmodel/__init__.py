"""SavedModels: graph and variables are read, and nothing of the file is run."""
