"""Yosys as a program, for the wheel that is a library only: `yosys [-q] -s SCRIPT`.

scripts/install-tools puts it into .tools/bin as `yosys`.
"""

import argparse
import sys

from pyosys import libyosys as ys


def main() -> int:
    parser = argparse.ArgumentParser(prog="yosys")
    parser.add_argument("-q", action="store_true", help="accepted for compatibility")
    parser.add_argument("-s", metavar="SCRIPT", required=True, help="file of commands")
    arguments = parser.parse_args()
    design = ys.Design()
    with open(arguments.s, encoding="utf-8") as script:
        for line in script:
            if line.strip():
                ys.run_pass(line.strip(), design)
    return 0


if __name__ == "__main__":
    sys.exit(main())
