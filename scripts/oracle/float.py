"""heatvit's float engine against timm's forward pass: see scripts/check-float.

    scripts/oracle/run float check [MODEL...]      run both and compare logits and every block's output
    scripts/oracle/run float record                write model/tests/oracle/float.json, which the tests compare with
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import seeded
import timm
import torch
from PIL import Image
from safetensors.torch import save_file
from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Normalize, Resize, ToTensor

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECORD = ROOT / "model/tests/oracle/float.json"
MODELS = ["deit_tiny", "deit_small", "deit_base"]
# A PNG: JPEG decoders differ.
PHOTO = ROOT / "data/photos/chelsea.png"
BOUND = 1e-4
# Values of a tensor that are recorded, at equal distances.
RECORDED = 96


def network(model):
    net = timm.create_model(f"{model}_patch16_224", pretrained=False).eval()
    state = {name: torch.from_numpy(seeded.tensor(name, tuple(t.shape))) for name, t in net.state_dict().items()}
    net.load_state_dict(state, strict=True)
    return net, state


def forward(net):
    """Logits and the output of every block."""
    steps = [Resize(256, InterpolationMode.BICUBIC), CenterCrop(224), ToTensor()]
    steps.append(Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    image = Compose(steps)(Image.open(PHOTO).convert("RGB"))
    outputs = {}
    for i, block in enumerate(net.blocks):
        block.register_forward_hook(lambda _, __, out, i=i: outputs.update({f"blocks.{i}.residual": out[0].numpy()}))
    with torch.no_grad():
        outputs["logits"] = net(image[None]).numpy()
    return outputs


def heatvit(model, weights, folder):
    """The same of heatvit."""
    photos = folder / "photos"
    photos.mkdir()
    (photos / PHOTO.name).write_bytes(PHOTO.read_bytes())
    command = ["cargo", "run", "-q", "-p", "heatvit-gen", "--", "eval", f"configs/{model}.toml"]
    command += ["--weights", str(weights), "--engine", "float", "--images", str(photos)]
    command += ["--logits", str(folder / "logits.npy"), "--tensors", str(folder / "tensors")]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    found = {path.stem: numpy.load(path) for path in (folder / "tensors").glob("*.residual.npy")}
    return found | {"logits": numpy.load(folder / "logits.npy")}


def check(models):
    worst = 0.0
    for model in models:
        net, state = network(model)
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            weights = folder / "weights.safetensors"
            # The tiny one takes the way of a checkpoint.
            if model == "deit_tiny":
                torch.save({"model": state}, folder / "weights.pth")
                subprocess.run([ROOT / "scripts/pth-to-safetensors", folder / "weights.pth", weights], check=True)
            else:
                save_file(state, weights)
            found, expected = heatvit(model, weights, folder), forward(net)
        for name, tensor in expected.items():
            difference = float(numpy.abs(found[name] - tensor).max() / numpy.abs(tensor).max())
            print(f"{model:12} {name:20} relative difference {difference:.2e}")
            worst = max(worst, difference) if difference == difference else float("inf")
    print(f"largest {worst:.2e}, allowed {BOUND:.0e}")
    return 0 if worst <= BOUND else 1


def record():
    models = {}
    for model in MODELS:
        net, _ = network(model)
        tensors = {}
        for name, tensor in forward(net).items():
            flat = tensor.reshape(-1)
            step = max(flat.size // RECORDED, 1)
            values = [float(f"{v:.8g}") for v in flat[::step]]
            tensors[name] = {"size": flat.size, "max": float(numpy.abs(flat).max()), "step": step, "values": values}
        models[model] = tensors
    text = json.dumps({"timm": timm.__version__, "torch": torch.__version__, "photo": PHOTO.name, "models": models})
    RECORD.write_text(text.replace('"blocks', '\n"blocks').replace('"logits', '\n"logits') + "\n")
    print(f"{RECORD.relative_to(ROOT)}: {RECORD.stat().st_size} bytes")
    return 0


def main():
    match sys.argv[1:]:
        case ["record"]:
            return record()
        case ["check", *models]:
            return check(models or MODELS)
    raise SystemExit(__doc__)


sys.exit(main())
