"""Accumulators of every matrix product, by ONNX Runtime: model/tests/oracle/integers.q8 and integers.safetensors.

    scripts/oracle/run integers

heatvit quantizes a small seeded network with a selector (integers.toml) and runs an image; the tensors of that run
are the operands of every product, ONNX Runtime's MatMulInteger multiplies them, and NumPy adds the bias. The record holds
the image's int8 patches, which NumPy makes itself, and the accumulators. The test in model/tests/integers.rs runs the
network again and compares its tensors with what the accumulators become.
"""

import pathlib
import subprocess
import tempfile

import numpy
import onnxruntime
import seeded
from onnxruntime import InferenceSession
from safetensors.numpy import load_file, save_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
ORACLE = ROOT / "model/tests/oracle"
HEIGHT, WIDTH, PATCH, D, DEPTH, HEADS, HIDDEN, CLASSES = 16, 12, 4, 24, 2, 3, 48, 7
TOKENS, SMALL = HEIGHT * WIDTH // PATCH**2 + 1, D // HEADS
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# Large differences between tokens, so that the selector drops some.
SPREAD = 3.0


def shapes():
    yield from (("cls_token", (1, 1, D)), ("pos_embed", (1, TOKENS, D)))
    linears = {"patch_embed.proj": (D, 3, PATCH, PATCH), "head": (CLASSES, D)}
    norms = ["norm"]
    for i in range(DEPTH):
        linears |= {f"blocks.{i}.attn.qkv": (3 * D, D), f"blocks.{i}.attn.proj": (D, D)}
        linears |= {f"blocks.{i}.mlp.fc1": (HIDDEN, D), f"blocks.{i}.mlp.fc2": (D, HIDDEN)}
        norms += [f"blocks.{i}.norm1", f"blocks.{i}.norm2"]
    for name, shape in linears.items():
        yield from ((f"{name}.weight", shape), (f"{name}.bias", shape[:1]))
    for name in norms:
        yield from ((f"{name}.weight", (D,)), (f"{name}.bias", (D,)))
    for name, outputs, inputs in [("mlp1", SMALL // 2, SMALL), ("mlp2.0", SMALL // 2, SMALL), ("mlp2.1", SMALL // 4, SMALL // 2), ("mlp2.2", 2, SMALL // 4)]:
        yield from ((f"selectors.1.{name}.weight", (HEADS, outputs, inputs)), (f"selectors.1.{name}.bias", (HEADS, outputs)))
    for name, outputs, inputs in [("mlp3.0", HEADS // 2, HEADS), ("mlp3.1", HEADS, HEADS // 2)]:
        yield from ((f"selectors.1.{name}.weight", (outputs, inputs)), (f"selectors.1.{name}.bias", (outputs,)))
    yield "selectors.1.threshold", (1,)


def weights():
    tensors = {name: seeded.tensor(name, shape) for name, shape in shapes()}
    for name in tensors:
        if name.startswith("selectors") and name.endswith("weight"):
            tensors[name] = tensors[name] * numpy.float32(SPREAD)
    return tensors | {"selectors.1.threshold": numpy.array([0.5], numpy.float32)}


def heatvit(*arguments):
    subprocess.run(["cargo", "run", "-q", "-p", "heatvit-gen", "--", *map(str, arguments)], cwd=ROOT, check=True)


def multiplier():
    """ONNX Runtime's MatMulInteger, from a model that is one node."""
    from onnx import TensorProto, checker, helper

    a, b = (helper.make_tensor_value_info(n, TensorProto.INT8, [None, None]) for n in "ab")
    y = helper.make_tensor_value_info("y", TensorProto.INT32, [None, None])
    graph = helper.make_graph([helper.make_node("MatMulInteger", ["a", "b"], ["y"])], "product", [a, b], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    checker.check_model(model)
    session = InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])

    def multiply(a, b):
        a, b = a.astype(numpy.int8), numpy.ascontiguousarray(b.astype(numpy.int8))
        return session.run(["y"], {"a": a, "b": b})[0]

    return multiply


def patches(image):
    """int8 patches of a normalised image, docs/arithmetic.md, "Embedding"."""
    pixels = image * numpy.array(DEVIATION)[:, None, None] + numpy.array(MEAN)[:, None, None]
    real = 127 * (2 * pixels - 1)
    integers = numpy.clip(numpy.sign(real) * numpy.floor(numpy.abs(real) + 0.5), -127, 127)
    cut = integers.reshape(3, HEIGHT // PATCH, PATCH, WIDTH // PATCH, PATCH).transpose(1, 3, 0, 2, 4)
    return numpy.concatenate([numpy.zeros((1, 3 * PATCH**2)), cut.reshape(TOKENS - 1, -1)]).astype(numpy.int8)


def products(t, first):
    """Name, operand, and the name of the weights, of every product with stored weights."""
    yield "patch_embed.proj", first
    for i in range(DEPTH):
        at = f"blocks.{i}."
        for name, operand in [("attn.q", "norm1"), ("attn.k", "norm1"), ("attn.v", "norm1"), ("attn.proj", "attn.o"), ("mlp.fc1", "norm2"), ("mlp.fc2", "mlp.fc1")]:
            yield at + name, t[at + operand]
    yield "head", t["norm"]
    at = "selectors.1."
    both = numpy.concatenate([t[at + "local"], numpy.repeat(t[at + "global"], len(t[at + "local"]), 0)], 1)
    for name, operand in [("local", t[at + "norm"]), ("mix", both), ("squeeze", t[at + "mix"]), ("keep", t[at + "squeeze"]), ("weigh", t[at + "norm"]), ("weight", t[at + "weigh"])]:
        yield at + name, operand


def accumulators(t, q8, first):
    multiply, found = multiplier(), {}
    for name, operand in products(t, first):
        found[name] = multiply(operand, q8[f"{name}.weight"].T) + q8[f"{name}.bias"]
    for i in range(DEPTH):
        at = f"blocks.{i}.attn."
        for h in range(HEADS):
            q, k, v = (t[at + name][:, h * SMALL : (h + 1) * SMALL] for name in "qkv")
            found[f"{at}scores.{h}"] = multiply(q, k.T)
            found[f"{at}attend.{h}"] = multiply(t[f"{at}exp.{h}"], v)
    # The mean over the candidates is attention of one row that gives all of them, but the class token, the same.
    local = t["selectors.1.local"]
    ones = numpy.full((1, len(local)), 127)
    ones[0, 0] = 0
    found["selectors.1.global"] = multiply(ones, local)
    return found


def main():
    image = (2 * seeded.uniform("image", 3 * HEIGHT * WIDTH)).astype(numpy.float32).reshape(3, HEIGHT, WIDTH)
    config, file = ORACLE / "integers.toml", ORACLE / "integers.q8"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        save_file(weights(), folder / "float.safetensors")
        numpy.save(folder / "image.npy", image[None])
        tensor = folder / "image.npy"
        heatvit("quantize", config, "--weights", folder / "float.safetensors", "--calibrate", tensor, "--out", file)
        heatvit("eval", config, "--weights", file, "--tensor", tensor, "--tensors", folder / "t")
        tensors = {path.stem: numpy.load(path).astype(numpy.int64) for path in (folder / "t").glob("*.npy")}
    first = patches(image.astype(numpy.float64))
    found = accumulators(tensors, load_file(file), first)
    assert len(tensors["blocks.1.norm1"]) < TOKENS, "the selector keeps everything"
    record = ORACLE / "integers.safetensors"
    found = {f"{name}.accumulator": numpy.ascontiguousarray(v.astype(numpy.int32)) for name, v in found.items()}
    save_file({"patches": first} | found, record)
    print(f"{record.relative_to(ROOT)}: {len(found)} products, {record.stat().st_size} bytes; ONNX Runtime {onnxruntime.__version__}")


main()
