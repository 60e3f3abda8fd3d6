"""Work in a child process, with limits."""
