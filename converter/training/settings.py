"""Everything that decides what comes out of a training."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from edgeseg.converter.setting import Setting, json_value, setting
from edgeseg.converter.training.optimizer import SHAPES
from edgeseg.devices import InputError

if TYPE_CHECKING:
    from edgeseg.devices.types import Json

EPOCHS = 20  # where neither epochs nor minutes are given
NOTHING = "none"  # the start of a training from nothing
# Settings that change how fast a training goes, and not what it learns
_FREE = ("threads", "workers", "save_minutes", "device")
_LABELS = "NAME|FILE"


@dataclass(frozen=True)
class Pictures:
    """The pictures to train and to validate on; see `open_splits`."""

    root: Path
    split: str = setting("train", Setting("List of pictures to train on."))
    val_root: Path | None = setting(
        None,
        Setting(
            "Where that list is.  [default: in DATASET]",
            flag="--val-dataset",
            metavar="DIR",
        ),
    )
    val_split: str = setting(
        "val",
        Setting(
            "List of pictures to validate on.  Without it every tenth picture is held "
            "out."
        ),
    )
    held: Path | None = setting(
        None,
        Setting(
            "A text file with names of pictures to hold out of the training list and "
            "to validate on, instead of another list.",
            flag="--hold-out",
            metavar="LIST",
        ),
    )
    labels: str | None = setting(
        None,
        Setting(
            "What the masks' ids are.  [default: DATASET/labels.txt, else the layout's "
            "own]",
            metavar=_LABELS,
        ),
    )
    classes: tuple[str, ...] | None = setting(
        None,
        Setting(
            "Learn these of the data set's classes, in this order; all others count as "
            "background, which then must be among them.  [default: all]",
            metavar="A,B,C",
        ),
    )
    limit: int | None = setting(
        None, Setting("Train on so many pictures.", metavar="N", least=1)
    )
    val_limit: int | None = setting(
        None, Setting("Validate on so many pictures.", metavar="N", least=1)
    )


@dataclass(frozen=True)
class Network:
    """The network to train; a file that holds its network needs none of these."""

    size: tuple[int, int] | None = setting(
        None,
        Setting(
            "Size of the network's input, 16 * k + 1.  [default: the start's own]",
            metavar="N|HxW",
        ),
    )
    output_stride: int = setting(
        16,
        Setting(
            "Of an .h5 or of none: 8 sees finer and takes twice as long.",
            choices=("8", "16"),
        ),
    )
    decoder: bool = setting(
        True,
        Setting(
            "DeepLabv3+: sharper outlines. Weights without a decoder get one that "
            "changes nothing at first."
        ),
    )
    decoder_width: int = setting(
        96, Setting("Channels of a new decoder.", least=8, most=1024)
    )
    low_width: int = setting(
        32, Setting("Channels of the fine features in it.", least=4, most=256)
    )
    width_multiplier: float = setting(
        1.0, Setting("Width of MobileNetV2 with --from none.", least=0.1, most=2)
    )
    narrow: float = setting(
        1.0,
        Setting(
            "Keep so much of the work of the start's inverted residuals (MobileNetV2): "
            "the channels that its answers on the pictures need least go before the "
            "training.",
            least=0,
            above=True,
            most=1,
        ),
    )


@dataclass(frozen=True)
class Teaching:
    """A model whose answers count beside the truth."""

    model: Path | None = setting(
        None,
        Setting(
            "Learn from a better model's answers too: .tflite, Keras, or a folder of "
            "answers that --teacher-sizes left.",
            flag="--teacher",
            metavar="MODEL|DIR",
            is_model=True,
        ),
    )
    sizes: tuple[int, ...] | None = setting(
        None,
        Setting(
            "Ask a Keras teacher once for every whole picture, at these sizes and "
            "mirrored, and learn from the mean of its answers, kept in DIR/teacher: "
            "better than any one of them.",
            flag="--teacher-sizes",
            metavar="N,N",
        ),
    )
    labels: str | None = setting(
        None,
        Setting(
            "Its classes.  [default: its own, 21 are pascal-voc]",
            flag="--teacher-labels",
            metavar=_LABELS,
        ),
    )
    share: float = setting(
        0.5,
        Setting(
            "What it counts for where there is truth.",
            flag="--teacher-share",
            least=0,
            most=1,
        ),
    )
    rough: Path | None = setting(
        None,
        Setting(
            "A text file with the names of pictures whose masks are rough.",
            metavar="LIST",
        ),
    )
    rough_share: float = setting(
        0.8, Setting("What the teacher counts for on those.", least=0, most=1)
    )


@dataclass(frozen=True)
class Settings:
    """A whole training."""

    start: str  # a weights file, a Keras model, or "none"
    pictures: Pictures
    start_labels: str | None = setting(
        None,
        Setting(
            "Classes of the start.  [default: labels.txt beside it, else by their "
            "number: 21 pascal-voc, 32 ade20k-mlperf32, 19 cityscapes]",
            metavar=_LABELS,
        ),
    )
    network: Network = field(default_factory=Network)
    teaching: Teaching = field(default_factory=Teaching)
    epochs: int | None = setting(
        None,
        Setting(
            "Times that every picture is seen.  [default: 20, or what --minutes allow]",
            least=1,
        ),
    )
    minutes: float | None = setting(
        None,
        Setting(
            "Take so long, from start to end, however busy the machine is: the rates "
            "fall by the clock.",
            least=0,
            above=True,
        ),
    )
    batch: int = setting(8, Setting("Pictures of a step.", least=1))
    rate: float = setting(
        3e-4,
        Setting(
            "Largest learning rate of layers that know something.", least=0, above=True
        ),
    )
    new_rate: float = setting(
        1e-3, Setting("Largest learning rate of new layers.", least=0, above=True)
    )
    schedule: str = setting(
        "poly", Setting("How the rates fall to 0.", choices=("poly", "cosine"))
    )
    weight_decay: float = setting(1e-4, Setting("Of kernels.", least=0))
    clip_norm: float = setting(
        5.0, Setting("Largest norm of the gradients.", least=0, above=True)
    )
    zoom: float = setting(
        2.0,
        Setting(
            "Pictures are shown 1/zoom to zoom times as large as they are.", least=1
        ),
    )
    loss_every: int = setting(
        1,
        Setting(
            "Learn from one row and one column of pixels in so many: less work, and "
            "nearly the same, for views lie at random.",
            least=1,
            most=16,
        ),
    )
    average: bool = setting(
        True, Setting("Validate and keep a running average of the weights.")
    )
    balance: float = setting(
        0.25,
        Setting(
            "Weigh the pixels of rare classes more: by one over the class's share to "
            "this power. 0 weighs all pixels the same.",
            least=0,
            most=1,
        ),
    )
    rare: float = setting(
        0.5,
        Setting(
            "So many of the views are of pixels of a class that was drawn, rare ones "
            "more often. 0 takes all views at random.",
            least=0,
            most=1,
        ),
    )
    freeze_until: str | None = setting(
        None,
        Setting(
            "Leave the layers up to this one as they are: faster, and safer with few "
            "pictures (expanded_conv_6_project is half of MobileNetV2).",
            metavar="LAYER",
        ),
    )
    validate_every: int = setting(1, Setting("Epochs between validations.", least=1))
    judged: tuple[str, ...] | None = setting(
        None,
        Setting(
            "Validate on the mean over these classes, all others counted as "
            "background: where some are too rare to judge by.",
            flag="--judge-by",
            metavar="A,B,C",
        ),
    )
    save_minutes: float = setting(5.0, Setting("Most that a kill can cost.", least=0))
    seed: int = setting(0, Setting(None))
    device: str = setting(
        "auto",
        Setting(
            "Where to train; auto takes a graphics card where Keras finds one.",
            choices=("auto", "cpu", "gpu"),
        ),
    )
    threads: int | None = setting(
        None,
        Setting("Processor threads (TensorFlow).  [default: all]", least=1, most=1024),
    )
    workers: int = setting(
        2, Setting("Threads that prepare pictures.", least=1, most=64)
    )
    trust: bool = setting(
        False,
        Setting("Run code that the start's file holds.", flag="--trust-model"),
    )
    int8: Path | None = setting(
        None,
        Setting(
            "Train through the rounding of int8, its ranges from these photos: a short "
            "second training, from the best.keras of a first one, at a tenth of its "
            "rate.",
            metavar="PHOTOS",
        ),
    )

    def check(self) -> None:
        """Raise `InputError` on what is wrong whatever the files hold."""
        if self.schedule not in SHAPES:
            raise InputError(
                f"--schedule must be one of {', '.join(SHAPES)}; got {self.schedule!r}"
            )
        if self.start != NOTHING and not Path(self.start).exists():
            raise InputError(
                f"cannot read the start {self.start}: no such file; 'none' trains "
                "from nothing"
            )
        if self.start == NOTHING and self.int8 is not None:
            raise InputError("--int8 needs a trained start: --from none has nothing")
        if self.teaching.model is None and self.teaching.sizes:
            raise InputError("--teacher-sizes needs --teacher: whom to ask?")
        if self.teaching.model is None and self.teaching.rough is not None:
            raise InputError("--rough needs --teacher: whom to ask instead?")

    def to_dict(self) -> Json:
        """Return JSON values."""
        return {
            name: json_value(value) for name, value in dataclasses.asdict(self).items()
        }

    def identity(self) -> Json:
        """Return what a training that goes on must have in common with its first part.

        Nested settings are laid flat, so that a message can name the one that differs.
        """
        flat: Json = {}
        for key, value in self.to_dict().items():
            if isinstance(value, dict):
                flat |= {f"{key}.{inner}": entry for inner, entry in value.items()}
            elif key not in _FREE:
                flat[key] = value
        return flat
