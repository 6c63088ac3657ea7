"""`python -m bot` is `tagwire`."""

from bot.cli import main

if __name__ == "__main__":
    main()
