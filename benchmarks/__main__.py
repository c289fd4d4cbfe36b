"""Everything that is promised about speed, measured side by side in one run: `make bench`.

    python -m benchmarks            all rows
    python -m benchmarks calls hop  some

The machine is part of the result: compare ratios, not absolute numbers.
"""

import importlib
import sys

from benchmarks.row import Row, machine, table

_MODULES = ("codec", "calls", "hop", "model_turn", "startup", "catalog")


def main() -> int:
    """Prints the table; exit status 1 when a floor is missed."""
    wanted = sys.argv[1:] or _MODULES
    rows: list[Row] = []
    for name in wanted:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        rows += importlib.import_module(f"benchmarks.{name}").rows()
    print(f"Measured on {machine()}.\n\n{table(rows)}")
    return int(any(row.verdict == "MISSED" for row in rows))


if __name__ == "__main__":
    sys.exit(main())
