"""``python -m edgeseg``: installed as ``edgeseg/__main__.py``, see pyproject.toml."""

from edgeseg.runtime.cli import main

if __name__ == "__main__":
    main(prog_name="python -m edgeseg")
