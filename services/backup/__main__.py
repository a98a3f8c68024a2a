"""`copy SOURCE TARGET` copies objects from one store to another, `verify STORE` compares content with its hash.

Stores are URLs as in TONEWRIGHT_OBJECTS_URL; credentials of S3 come from the AWS variables. The exit status is 1 when
content is damaged or a store cannot be reached.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from chassis.errors import AppError
from chassis.objects import open_store
from services.backup.objects import Tally, copy, verify


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says; gives the exit status."""
    try:
        match list(arguments):
            case ["copy", source, target]:
                return _tell("copied", copy(open_store(source), open_store(target)))
            case ["verify", store]:
                return _tell("verified", verify(open_store(store)))
            case _:
                sys.stderr.write(f"{__doc__}\n")
                return 2
    except (AppError, ValueError, OSError) as error:
        sys.stderr.write(f"{getattr(error, 'message', '') or error}\n")
        return 1


def _tell(word: str, tally: Tally) -> int:
    rest = f"{tally.kept} were there, {tally.gone} vanished, {len(tally.damaged)} damaged"
    sys.stdout.write(f"{word} {tally.done} objects, {tally.size_bytes} bytes; {rest}\n")
    for key in tally.damaged:
        sys.stderr.write(f"damaged: {key}\n")
    return 1 if tally.damaged else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
