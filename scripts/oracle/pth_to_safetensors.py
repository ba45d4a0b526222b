"""A PyTorch checkpoint as safetensors: see scripts/pth-to-safetensors."""

import sys

import torch
from safetensors.torch import save_file

# Where checkpoints keep their weights: DeiT's and most trainers', or at the top.
NESTED = ("model", "state_dict", "model_state", "module")
# What training on several machines puts before every name.
PREFIX = "module."


def weights(checkpoint):
    for key in NESTED:
        if isinstance(checkpoint, dict) and isinstance(checkpoint.get(key), dict):
            return weights(checkpoint[key])
    if not isinstance(checkpoint, dict) or not checkpoint:
        raise SystemExit("there is no dictionary of weights in the checkpoint; save model.state_dict()")
    return {name.removeprefix(PREFIX): tensor for name, tensor in checkpoint.items()}


def main():
    if len(sys.argv) != 3:
        raise SystemExit("usage: scripts/pth-to-safetensors IN.pth OUT.safetensors")
    source, target = sys.argv[1:]
    # Only tensors are loaded: a checkpoint may otherwise run code.
    found = weights(torch.load(source, map_location="cpu", weights_only=True))
    strange = [name for name, tensor in found.items() if not isinstance(tensor, torch.Tensor)]
    if strange:
        raise SystemExit(f"`{strange[0]}` is no tensor; save model.state_dict() alone")
    # Copies, because tensors that share memory cannot be saved.
    save_file({name: tensor.detach().clone().contiguous() for name, tensor in found.items()}, target)
    print(f"{target}: {len(found)} tensors")


main()
