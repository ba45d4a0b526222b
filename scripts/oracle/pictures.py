"""What Pillow and torchvision make of the photographs: model/tests/oracle/pictures.json.

    scripts/oracle/run pictures

For every photograph and some sizes of a network: sha256 of the preprocessed bytes; for DeiT's size also every 8th
pixel of every 8th row in hexadecimal, because JPEG decoders differ. `pillow` and `torchvision` in the file say which
versions spoke.
"""

import hashlib
import json
import pathlib

import numpy
import PIL
import torchvision
from PIL import Image
from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Resize

ROOT = pathlib.Path(__file__).resolve().parents[2]
PHOTOS = ROOT / "data/photos"
OUT = ROOT / "model/tests/oracle/pictures.json"
# resize, height, width, mode; the first is DeiT's.
CASES = [(256, 224, 224, "RGB"), (41, 36, 36, "L"), (40, 16, 32, "RGB"), (384, 384, 384, "RGB")]


def record(image, resize, height, width, mode):
    steps = Compose([Resize(resize, InterpolationMode.BICUBIC), CenterCrop((height, width))])
    pixels = numpy.asarray(steps(image.convert(mode))).reshape(height, width, len(mode))
    image = {
        "resize": resize,
        "height": height,
        "width": width,
        "channels": len(mode),
        "sha256": hashlib.sha256(pixels.tobytes()).hexdigest(),
    }
    if (resize, mode) == (256, "RGB"):
        image["every_8th"] = pixels[::8, ::8].tobytes().hex()
    return image


def main():
    photos = {}
    for path in sorted(p for p in PHOTOS.iterdir() if p.suffix in (".jpg", ".png")):
        image = Image.open(path)
        decoded = hashlib.sha256(image.convert("RGB").tobytes()).hexdigest()
        photos[path.name] = {"size": image.size, "sha256": decoded, "images": [record(image, *case) for case in CASES]}
    text = json.dumps({"pillow": PIL.__version__, "torchvision": torchvision.__version__, "photos": photos}, indent=1)
    OUT.write_text(text + "\n")
    print(f"{OUT.relative_to(ROOT)}: {len(text)} bytes, Pillow {PIL.__version__}")


main()
