"""Weights that everybody can make again: numbers from a counter, in NumPy here and in Rust in
model/tests/seeded/mod.rs.

Value i of a tensor is `centre + spread * u` with u in [-1, 1): the upper 24 bits of output i of SplitMix64 (Steele et
al., OOPSLA 2014), whose state starts at the tensor's name hashed by 64-bit FNV-1a. Everything is computed in double and
rounded once to float32.
"""

import numpy

GOLDEN = 0x9E3779B97F4A7C15
MASK = (1 << 64) - 1


def fnv1a(name):
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = ((value ^ byte) * 0x100000001B3) & MASK
    return value


def uniform(name, count):
    """u of values 0 to count - 1."""
    with numpy.errstate(over="ignore"):
        z = numpy.uint64(fnv1a(name)) + numpy.arange(1, count + 1, dtype=numpy.uint64) * numpy.uint64(GOLDEN)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        z ^= z >> numpy.uint64(31)
    return (z >> numpy.uint64(40)).astype(numpy.float64) / 2**23 - 1


def distribution(name, shape):
    """Centre and spread that keep activations in the ranges of a trained network."""
    if name in ("cls_token", "pos_embed"):
        return 0.0, 0.5
    if "norm" in name:
        return (1.0, 0.5) if name.endswith(".weight") else (0.0, 0.3)
    if name.endswith(".bias"):
        return 0.0, 0.2
    gain = 0.7 if name.endswith(("attn.proj.weight", "mlp.fc2.weight")) else 1.0
    inputs = int(numpy.prod(shape[1:]))
    return 0.0, gain * (3.0 / inputs) ** 0.5


def tensor(name, shape):
    centre, spread = distribution(name, shape)
    values = centre + spread * uniform(name, int(numpy.prod(shape)))
    return values.astype(numpy.float32).reshape(shape)
