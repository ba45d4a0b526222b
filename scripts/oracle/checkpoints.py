"""Small checkpoints as PyTorch writes them: gen/tests/checkpoints/.

    scripts/oracle/run checkpoints

`gen/tests/checkpoints.rs` says what scripts/pth-to-safetensors has to make of each.
"""

import argparse
import io
import pathlib
import zipfile

import torch

OUT = pathlib.Path(__file__).resolve().parents[2] / "gen/tests/checkpoints"

# No `class`: the source of one would be in the legacy form.
Network = type("Network", (torch.nn.Linear,), {})


def ramp(*shape, dtype=torch.float32, start=0):
    """start, start + 1, ...: every type has these numbers."""
    count = torch.Size(shape).numel()
    return torch.arange(start, start + count, dtype=torch.float64).reshape(shape).to(dtype)


def types():
    kinds = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16]
    kinds += [torch.int8, torch.uint8, torch.bool]
    found = {str(kind).removeprefix("torch."): ramp(2, 3, dtype=kind) for kind in kinds}
    return found | {"scalar": torch.tensor(7.0), "empty": torch.zeros(0, 3)}


def views():
    base, maps = ramp(4, 6), ramp(2, 3, 2, 2)
    return {
        "whole": base,
        "transposed": base.t(),
        "offset": base[1:3, 2:5],
        "steps": base[::2, 1::3],
        "repeated": base[1, 2:3].expand(3),
        "permuted": maps.permute(2, 0, 3, 1),
        "channels_last": maps.contiguous(memory_format=torch.channels_last),
        "parameter": torch.nn.Parameter(base[3]),
        "half": ramp(3, 5, dtype=torch.float16).t(),
        "bfloat16": ramp(3, 5, dtype=torch.bfloat16)[:, 1],
    }


def network():
    net = Network(3, 2)
    with torch.no_grad():
        net.weight.copy_(ramp(2, 3))
        net.bias.copy_(ramp(2, start=10))
    return net


def parallel():
    """As several examples of PyTorch do it; the best accuracy is a tensor, too."""
    net = torch.nn.Sequential()
    net.add_module("module", network())
    return {"epoch": 3, "arch": "linear", "state_dict": net.state_dict(), "best_acc1": torch.tensor(76.5)}


def deit():
    """What DeiT's main.py writes."""
    net = network()
    optimizer = torch.optim.AdamW(net.parameters())
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    net(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    net.load_state_dict(before)
    return {
        "model": net.state_dict(),
        "optimizer": optimizer.state_dict(),
        "lr_scheduler": scheduler.state_dict(),
        "epoch": 1,
        "model_ema": {name: tensor + 100 for name, tensor in before.items()},
        "scaler": {"scale": 65536.0, "_growth_tracker": 0},
        "args": argparse.Namespace(lr=5e-4, output_dir=pathlib.PurePosixPath("out"), betas=[0.9, 0.999]),
    }


def script(path):
    """A TorchScript archive without what says where its source was."""
    written = io.BytesIO()
    torch.jit.save(torch.jit.script(torch.nn.Identity()), written)
    with zipfile.ZipFile(written) as old, zipfile.ZipFile(path, "w") as new:
        for entry in old.infolist():
            if not entry.filename.endswith(".debug_pkl"):
                new.writestr(entry, old.read(entry))


def main():
    OUT.mkdir(exist_ok=True)
    made = {"types": types(), "views": views(), "parallel": parallel(), "deit": deit(), "module": network()}
    made["other_key"] = {"net": network().state_dict(), "epoch": 2}
    made["sparse"] = {"weight": torch.eye(2).to_sparse()}
    for name, content in made.items():
        torch.save(content, OUT / f"{name}.pth")
        torch.save(content, OUT / f"{name}.legacy.pth", _use_new_zipfile_serialization=False)
    script(OUT / "script.pth")
    for path in sorted(OUT.glob("*.pth")):
        print(f"{path.name}: {path.stat().st_size} bytes")


main()
