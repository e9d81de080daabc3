"""Pictures of every kind that read_rgb takes or refuses, as hexadecimal digits for picture_kinds_test.cpp.

All are 32x32 with (200, 100, 50) on the left and (10, 20, 30) on the right half, or the grey values 200 and 10.
PIL writes what it can; 16-bit colour and interlaced PNGs are put together from the format's specification.

    python3 tests/io/picture_kinds.py
"""

import io
import struct
import zlib

import numpy
from PIL import Image

SIZE = 32
LEFT, RIGHT = (200, 100, 50), (10, 20, 30)
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def saved(picture, kind, **options):
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(bits, interlace, rows):
    header = struct.pack(">IIBBBBB", SIZE, SIZE, bits, 2, 0, 0, interlace)
    packed = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def main():
    rgb = numpy.empty((SIZE, SIZE, 3), numpy.uint8)
    rgb[:, : SIZE // 2], rgb[:, SIZE // 2 :] = LEFT, RIGHT
    grey = Image.fromarray(numpy.where(numpy.arange(SIZE) < SIZE // 2, 200, 10).astype(numpy.uint8)[None].repeat(SIZE, 0))
    alpha = numpy.full((SIZE, SIZE, 1), 128, numpy.uint8)
    alpha[: SIZE // 2] = 0
    picture = Image.fromarray(rgb)
    kinds = {
        "palette": saved(picture.quantize(4), "PNG", optimize=True),
        "rgb_alpha": saved(Image.fromarray(numpy.concatenate([rgb, alpha], 2)), "PNG", optimize=True),
        "grey": saved(grey, "PNG", optimize=True),
        "grey_alpha": saved(Image.merge("LA", [grey, Image.fromarray(alpha[:, :, 0])]), "PNG", optimize=True),
        # 257 * value is what 8 bits become in 16; 40 more leaves the high byte, which is what is read.
        "rgb_16_bits": png(16, 0, [(row.astype(">u2") * 257 + 40).astype(">u2").tobytes() for row in rgb]),
        "interlaced": png(8, 1, [rgb[y, x0::dx].tobytes() for x0, y0, dx, dy in ADAM7 for y in range(y0, SIZE, dy)]),
        "cmyk": saved(picture.convert("CMYK"), "JPEG", quality=50, optimize=True),
    }
    for name, data in kinds.items():
        print(name, data.hex())


main()
