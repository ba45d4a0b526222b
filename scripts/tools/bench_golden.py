"""Images per second of the integer model and of ONNX Runtime's float32, measured in turns. See scripts/bench-golden."""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

import numpy as np
import onnxruntime as ort

from vit_onnx import vision_transformer

SEED = 1
BATCHES = [1, 2, 4, 8, 16, 32]


def float_session(proto: bytes, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = threads
    return ort.InferenceSession(proto, options, providers=["CPUExecutionProvider"])


def float_speed(session: ort.InferenceSession, model: dict, batch: int, seconds: float) -> float:
    """Images per second after a first run."""
    shape = (batch, model["channels"], model["height"], model["width"])
    image = {"image": np.random.default_rng(SEED).standard_normal(shape, dtype=np.float32)}
    (logits,) = session.run(None, image)
    if logits.shape != (batch, model["classes"]) or not np.isfinite(logits).all():
        sys.exit("bench-golden: the float network gives no logits")
    start, images = time.perf_counter(), 0
    while images == 0 or time.perf_counter() - start < seconds:
        session.run(None, image)
        images += batch
    return images / (time.perf_counter() - start)


def golden_figures(program: Path, config: Path, threads: int, seconds: float) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder) / "figures.json"
        options = ["--threads", str(threads), "--seconds", str(seconds), "--json", str(figures)]
        command = [str(program), "bench", "golden", str(config), *options]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return json.loads(figures.read_text(encoding="utf-8"))


def arguments(root: Path) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench-golden", description="integer model against ONNX Runtime float32")
    parser.add_argument("config", nargs="?", type=Path, default=root / "configs/deit_tiny.toml")
    parser.add_argument("--pairs", type=int, default=5, help="measurements of each side, in turns [default: 5]")
    parser.add_argument("--seconds", type=float, default=5.0, help="of a measurement [default: 5]")
    parser.add_argument("--json", type=Path, help="write the figures, too")
    return parser.parse_args(sys.argv[2:])


def main() -> None:
    root = Path(sys.argv[1])
    options = arguments(root)
    program = root / "target/release/heatvit"
    shown = subprocess.run([program, "show", "config", options.config], check=True, capture_output=True, text=True)
    settings = tomllib.loads(shown.stdout)
    if settings["selectors"]["enabled"]:
        sys.exit(f"bench-golden: {options.config}: selectors skip work that the float network does; name a dense one")
    model, threads = settings["model"], len(os.sched_getaffinity(0))
    proto, parameters = vision_transformer(model, SEED)
    session = float_session(proto.SerializeToString(), threads)
    best = max(BATCHES, key=lambda batch: float_speed(session, model, batch, options.seconds / 5))
    print(f"{settings['name']}: {parameters:,} parameters, {threads} threads, ONNX Runtime {ort.__version__}")
    pairs = []
    for _ in range(options.pairs):
        batches = {batch: float_speed(session, model, batch, options.seconds) for batch in sorted({1, best})}
        golden = golden_figures(program, options.config, threads, options.seconds)
        speed, float32 = golden["images_per_second"], max(batches.values())
        pairs.append({"golden": speed, "float32_by_batch": batches, "ratio": speed / float32})
        by_batch = ", ".join(f"{s:.1f} at batch {batch}" for batch, s in batches.items())
        print(f"golden {speed:6.1f} images/s   float32 {by_batch}   ratio {speed / float32:.2f}", flush=True)
    ratio = statistics.median(pair["ratio"] for pair in pairs)
    print(f"median ratio {ratio:.2f}, golden on {golden['instructions']}, peak {golden['peak_memory_bytes'] / 1e6:.0f} MB")
    if options.json:
        figures = {
            "config": settings["name"],
            "threads": threads,
            "processor": platform.processor() or platform.machine(),
            "onnxruntime": ort.__version__,
            "instructions": golden["instructions"],
            "golden_peak_memory_bytes": golden["peak_memory_bytes"],
            "best_batch": best,
            "pairs": pairs,
            "ratio_median": ratio,
        }
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
