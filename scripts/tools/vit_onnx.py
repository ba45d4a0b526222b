"""A plain vision transformer as an ONNX graph with random float32 weights, operators as exporters write them."""

from dataclasses import dataclass, field

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper

OPSET = 20


@dataclass
class Graph:
    """Nodes and weights of a graph under construction."""

    random: np.random.Generator
    nodes: list[NodeProto] = field(default_factory=list)
    tensors: list[TensorProto] = field(default_factory=list)
    parameters: int = 0

    def constant(self, name: str, value: np.ndarray) -> str:
        self.tensors.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def weight(self, name: str, *shape: int) -> str:
        self.parameters += int(np.prod(shape))
        values = self.random.standard_normal(shape, dtype=np.float32)
        return self.constant(name, values * np.float32(0.02))

    def op(self, kind: str, *inputs: str, **attributes: object) -> str:
        output = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def linear(self, x: str, name: str, inputs: int, outputs: int) -> str:
        product = self.op("MatMul", x, self.weight(f"{name}.weight", inputs, outputs))
        return self.op("Add", product, self.weight(f"{name}.bias", outputs))

    def norm(self, x: str, name: str, channels: int, eps: float) -> str:
        gain = self.weight(f"{name}.weight", channels)
        bias = self.weight(f"{name}.bias", channels)
        return self.op("LayerNormalization", x, gain, bias, axis=-1, epsilon=eps)


def embedding(g: Graph, model: dict, tokens: int) -> str:
    """Patches, class token, positions."""
    embed, patch = model["embed"], model["patch"]
    kernel = g.weight("patch_embed.weight", embed, model["channels"], patch, patch)
    bias = g.weight("patch_embed.bias", embed)
    x = g.op("Conv", "image", kernel, bias, kernel_shape=[patch, patch], strides=[patch, patch])
    x = g.op("Reshape", x, g.constant("grid", np.array([0, embed, -1])))
    x = g.op("Transpose", x, perm=[0, 2, 1])
    batch = g.op("Shape", x, start=0, end=1)
    shape = g.op("Concat", batch, g.constant("token", np.array([1, embed])), axis=0)
    x = g.op("Concat", g.op("Expand", g.weight("cls_token", 1, 1, embed), shape), x, axis=1)
    return g.op("Add", x, g.weight("pos_embed", 1, tokens, embed))


def attention(g: Graph, x: str, name: str, model: dict, tokens: int) -> str:
    embed, heads, width = model["embed"], model["heads"], model["head_dim"]
    qkv = g.linear(x, f"{name}.qkv", embed, 3 * heads * width)
    qkv = g.op("Reshape", qkv, g.constant(f"{name}.heads", np.array([0, tokens, 3, heads, width])))
    qkv = g.op("Transpose", qkv, perm=[2, 0, 3, 1, 4])
    q, k, v = (g.op("Gather", qkv, g.constant(f"{name}.{i}", np.int64(i)), axis=0) for i in range(3))
    q = g.op("Mul", q, g.constant(f"{name}.scale", np.float32(width**-0.5)))
    scores = g.op("MatMul", q, g.op("Transpose", k, perm=[0, 1, 3, 2]))
    mixed = g.op("MatMul", g.op("Softmax", scores, axis=-1), v)
    mixed = g.op("Transpose", mixed, perm=[0, 2, 1, 3])
    mixed = g.op("Reshape", mixed, g.constant(f"{name}.rows", np.array([0, tokens, heads * width])))
    return g.linear(mixed, f"{name}.proj", heads * width, embed)


def vision_transformer(model: dict, seed: int) -> tuple[ModelProto, int]:
    """The graph of `[model]` in a configuration, and its number of parameters; the batch is free."""
    g = Graph(np.random.default_rng(seed))
    embed, hidden, eps, classes = model["embed"], model["mlp_hidden"], model["eps"], model["classes"]
    tokens = (model["height"] // model["patch"]) * (model["width"] // model["patch"]) + 1
    x = embedding(g, model, tokens)
    for i in range(model["depth"]):
        name = f"blocks.{i}"
        x = g.op("Add", x, attention(g, g.norm(x, f"{name}.norm1", embed, eps), f"{name}.attn", model, tokens))
        inner = g.op("Gelu", g.linear(g.norm(x, f"{name}.norm2", embed, eps), f"{name}.fc1", embed, hidden))
        x = g.op("Add", x, g.linear(inner, f"{name}.fc2", hidden, embed))
    x = g.op("Gather", g.norm(x, "norm", embed, eps), g.constant("class", np.int64(0)), axis=1)
    logits = g.linear(x, "head", embed, classes)
    shape = ["n", model["channels"], model["height"], model["width"]]
    inputs = [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)]
    outputs = [helper.make_tensor_value_info(logits, TensorProto.FLOAT, ["n", classes])]
    graph = helper.make_graph(g.nodes, "vit", inputs, outputs, g.tensors)
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    checker.check_model(proto)
    return proto, g.parameters
