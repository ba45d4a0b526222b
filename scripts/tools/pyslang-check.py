"""Compiles and elaborates Verilog-2005 files with pyslang; exit 1 and the diagnostics where it objects.

Usage: pyslang-check.py TOP FILE...
"""

import sys

from pyslang.driver import Driver


def main() -> int:
    top, files = sys.argv[1], sys.argv[2:]
    driver = Driver()
    driver.addStandardArgs()
    options = ["pyslang-check", "--std", "1364-2005", "-Wextra", "-Wpedantic", "-Werror", "--top", top]
    if not driver.parseCommandLine(" ".join(f'"{word}"' for word in options + files)):
        return 2
    if not driver.processOptions() or not driver.parseAllSources():
        return 1
    compilation = driver.createCompilation()
    driver.reportCompilation(compilation, True)
    return 0 if driver.reportDiagnostics(True) else 1


if __name__ == "__main__":
    sys.exit(main())
