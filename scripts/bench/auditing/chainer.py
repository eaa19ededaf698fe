"""`python -m scripts.bench.auditing.chainer SECONDS`: chains without end, so often."""

from __future__ import annotations

import sys
import time


def main(every_s: float) -> None:
    """Chain until told to stop; a line when ready."""
    from app import create_app
    from app.services.upkeep.chain_audit import chain_events

    with create_app().app_context():
        print("ready", flush=True)
        while True:
            chain_events()
            time.sleep(every_s)


if __name__ == "__main__":
    main(float(sys.argv[1]))
