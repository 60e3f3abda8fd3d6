"""Fake machines: the files of boards, laid out in a folder that stands for ``/``."""

from __future__ import annotations

CORE = "processor\t: {}\nCPU implementer\t: 0x41\nCPU part\t: {}\n\n"


def lay(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def cpuinfo(*parts, revision=None, model=None):
    text = "".join(CORE.format(i, part) for i, part in enumerate(parts))
    text += f"Revision\t: {revision}\n" if revision else ""
    return text + (f"Model\t\t: {model}\n" if model else "")


def tree(model, *compatible):
    return {
        "proc/device-tree/model": f"{model}\0",
        "proc/device-tree/compatible": "".join(f"{name}\0" for name in compatible),
    }


def usb_coral(bus="2-1", *, speed="5000", started=True):
    vendor, product = ("18d1", "9302") if started else ("1a6e", "089a")
    folder = f"sys/bus/usb/devices/{bus}"
    return {
        f"{folder}/idVendor": f"{vendor}\n",
        f"{folder}/idProduct": f"{product}\n",
        f"{folder}/speed": f"{speed}\n",
    }


def pci_coral(slot="0000:01:00.0", *, number=None):
    folder = f"sys/bus/pci/devices/{slot}"
    node = {} if number is None else {f"dev/apex_{number}": ""}
    return {f"{folder}/vendor": "0x1ac1\n", f"{folder}/device": "0x089a\n", **node}


def os_release(name, id_, version):
    text = f'PRETTY_NAME="{name}"\nID={id_}\nVERSION_ID="{version}"\n'
    return {"etc/os-release": text}


PI_4 = {
    **tree("Raspberry Pi 4 Model B Rev 1.5", "raspberrypi,4-model-b", "brcm,bcm2711"),
    "proc/cpuinfo": cpuinfo(
        *["0xd08"] * 4, revision="c03115", model="Raspberry Pi 4 Model B Rev 1.5"
    ),
    "proc/meminfo": "MemTotal:        3885396 kB\nMemAvailable: 3000000 kB\n",
    **os_release("Debian GNU/Linux 12 (bookworm)", "debian", "12"),
}
