"""``python -m eessi_sim``: the same as the command ``eessi-sim``."""

from eessi_sim.cli.main import main

if __name__ == "__main__":
    main()
