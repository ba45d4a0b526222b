"""Reads Verilog with Yosys, checks it and counts cells; prints
`REPORT {"latches": n, "modules": {module: {cell: n}}}`.

Usage: yosys-check.py TOP FILE...
"""

import json
import sys
import tempfile

from pyosys import libyosys as ys


def main() -> int:
    top, files = sys.argv[1], sys.argv[2:]
    # Yosys logs to stdout too: the report is the line that starts with REPORT.
    with tempfile.NamedTemporaryFile(suffix=".json") as stat:
        design = ys.Design()
        for file in files:
            ys.run_pass(f"read_verilog -noautowire {file}", design)
        ys.run_pass(f"hierarchy -check -top {top}", design)
        ys.run_pass("proc", design)
        ys.run_pass("check -assert", design)
        ys.run_pass(f"tee -q -o {stat.name} stat -json", design)
        modules = json.load(open(stat.name, encoding="utf-8"))["modules"]
    cells = {name.lstrip("\\"): info["num_cells_by_type"] for name, info in modules.items()}
    latches = sum(n for counts in cells.values() for kind, n in counts.items() if "latch" in kind)
    print("REPORT " + json.dumps({"latches": latches, "modules": cells}, sort_keys=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
