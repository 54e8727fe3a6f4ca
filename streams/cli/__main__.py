"""`python -m streams.cli` is `leadstream`."""

from streams.cli import main

if __name__ == "__main__":
    main()
