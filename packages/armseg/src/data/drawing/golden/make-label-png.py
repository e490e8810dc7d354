"""What PIL reads from the PNG that label-png.test.ts encodes; run as: python3 make-label-png.py < file.png > label-png.json"""
import io, json, sys
from PIL import Image

image = Image.open(io.BytesIO(sys.stdin.buffer.read()))
image.load()
json.dump(
    {"mode": image.mode, "size": image.size, "pixels": list(image.getdata()), "palette": image.getpalette()[:33]},
    sys.stdout,
)
