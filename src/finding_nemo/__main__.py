"""Run the command line with `python -m finding_nemo`."""

from finding_nemo.cli.main import run

if __name__ == "__main__":
    run()
