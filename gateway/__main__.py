"""`python -m gateway`: serve until told to stop."""

from gateway.server import run
from gateway.settings import Settings

if __name__ == "__main__":
    run(Settings())
