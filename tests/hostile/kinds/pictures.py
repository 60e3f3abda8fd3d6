"""Picture files of every format that is read, as source, background and folder."""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING

from hostile.case import MODEL, PICTURE, Case, Kind
from hostile.commands import RESULTS, WRITTEN
from hostile.damage import damage
from hostile.good_files import encoded, pixels, put_model, put_picture
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

_FORMATS = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "TIFF": ".tif",
    "BMP": ".bmp",
    "WEBP": ".webp",
    "GIF": ".gif",
    "PPM": ".ppm",
}
_SIZES = (0, 1, 2, 16, 65500, 65535, 65536, 1 << 20, (1 << 31) - 1, 1 << 31, 0xFFFFFFFF)


def _make(folder: Path, rng: Random, number: int) -> Case:
    put_model(folder)
    form = rng.choice(sorted(_FORMATS))
    data = _content(form, rng)
    suffix = rng.choice((*[_FORMATS[form]] * 9, rng.choice(sorted(_FORMATS.values()))))
    name = f"bad{suffix}"
    draw = rng.random()
    if draw < 0.15:
        put_picture(folder)
        (folder / name).write_bytes(data)
        words = "run", MODEL, PICTURE, *RESULTS, "--effect", f"picture:{name}"
        return Case(words, WRITTEN, form)
    if draw < 0.35:
        (folder / "photos").mkdir()
        (folder / "photos" / name).write_bytes(data)
        (folder / "photos" / "a.png").write_bytes(encoded("PNG"))
        words = "run", MODEL, "photos", "-o", "out/", "-o", "found.jsonl"
        return Case(words, ("out/", "found.jsonl"), form)
    (folder / name).write_bytes(data)
    effect = rng.choice(("overlay", "blur", "hide", "cutout", "pixelate"))
    return Case(("run", MODEL, name, *RESULTS, "--effect", effect), WRITTEN, form)


def _content(form: str, rng: Random) -> bytes:
    draw = rng.random()
    if draw < 0.15:
        return _odd(form, rng)
    good = encoded(form)
    if form == "PNG" and draw < 0.5:
        return _png(good, rng)
    if form == "JPEG" and draw < 0.35:
        return _jpeg_size(good, rng)
    return damage(good, rng, (encoded("JPEG"), encoded("TIFF")))


def _odd(form: str, rng: Random) -> bytes:
    """Return a right file of a kind that few programs write."""
    mode = rng.choice(("1", "L", "LA", "P", "RGBA", "CMYK", "I", "I;16", "F", "YCbCr"))
    picture = Image.fromarray(pixels(0))
    options: dict = {}
    if rng.random() < 0.3:
        exif = Image.Exif()
        exif[0x0112] = rng.choice((0, 1, 3, 6, 8, 9, 65535))
        exif[0x010E] = "\x1b[2J" * 100
        options["exif"] = damage(exif.tobytes(), rng)
    if rng.random() < 0.2:
        options["icc_profile"] = rng.randbytes(300)
    if rng.random() < 0.3:
        options.update(save_all=True, append_images=[picture] * rng.choice((1, 40)))
    for chosen in (mode, "RGB"):
        buffer = io.BytesIO()
        try:
            whole = (
                picture.convert(chosen) if chosen != "I;16" else picture.convert("I")
            )
            if rng.random() < 0.1:
                whole = whole.resize(rng.choice(((1, 1), (1, 4000), (4000, 1))))
            whole.save(buffer, form, **options)
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            RuntimeError,
            SystemError,
            struct.error,
        ):
            continue
        return buffer.getvalue()
    return damage(encoded(form), rng)


def _png(good: bytes, rng: Random) -> bytes:
    """Return a PNG with changed chunks whose checksums are right."""
    chunks, at = [], 8
    while at < len(good):
        (length,) = struct.unpack(">I", good[at : at + 4])
        chunks.append((good[at + 4 : at + 8], good[at + 8 : at + 8 + length]))
        at += 12 + length
    kind, body = chunks[0]
    if rng.random() < 0.5:  # the header: size, depth, colour, method
        fields = list(struct.unpack(">IIBBBBB", body))
        fields[rng.randrange(7)] = rng.choice(_SIZES)
        fields[2:] = [value & 255 for value in fields[2:]]
        chunks[0] = kind, struct.pack(">IIBBBBB", *fields)
    else:
        index = rng.randrange(len(chunks))
        more = rng.choice(
            (b"tEXt", b"zTXt", b"iCCP", b"eXIf", b"PLTE", b"tRNS", b"acTL")
        )
        bomb = zlib.compress(bytes(rng.choice((10, 1 << 26))))
        chunks.insert(
            index, (more, rng.choice((b"", b"a\0\0" + bomb, rng.randbytes(99))))
        )
    out = [good[:8]]
    for kind, body in chunks:
        crc = struct.pack(">I", zlib.crc32(kind + body))
        out += [struct.pack(">I", len(body)), kind, body, crc]
    return b"".join(out)


def _jpeg_size(good: bytes, rng: Random) -> bytes:
    """Return a JPEG whose frame header has another size or other components."""
    data = bytearray(good)
    at = data.find(b"\xff\xc0")
    field = rng.choice((5, 7))
    if rng.random() < 0.7:
        data[at + field : at + field + 2] = struct.pack(
            ">H", rng.choice(_SIZES) & 0xFFFF
        )
    else:
        data[at + rng.choice((4, 9, 10, 11, 12))] = rng.randrange(256)
    return bytes(data)


KIND = Kind(_make, share=3, short=35)
