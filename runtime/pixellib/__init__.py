"""PixelLib's classes and methods, on edgeseg's models and pipeline.

Programs for PixelLib run with one line changed::

    from edgeseg.runtime.pixellib import alter_bg, semantic_segmentation

Names, arguments and their order are PixelLib's (0.7.1), and pictures are given and
returned as there: ``(H, W, 3)`` uint8 in blue, green, red. What is different:

* ``load_pascalvoc_model`` takes a ``.tflite`` file. For PixelLib's ``.h5`` and ``.pb``
  it takes the ``.tflite`` of the same name beside it, which ``edgeseg convert`` makes;
  without one it warns and takes ``voc``, which comes with edgeseg. Class ids are PASCAL
  VOC's.
* An overlay tints the classes and leaves the background as it is. Borders are drawn
  where the classes meet; colours are not mixed there.
* ``frames_per_second`` is how many frames a second are taken at most. The video plays
  at true speed. A camera is read until Ctrl-C or until it ends, and the newest frame
  is shown.
* ``blur_bg`` blurs by the size of the picture, and keeps the subject's colours out.
* Instance segmentation and its training raise an error with a sentence.

References
----------
https://pixellib.readthedocs.io
"""

from edgeseg.runtime.pixellib.background import alter_bg
from edgeseg.runtime.pixellib.missing import (
    custom_segmentation,
    instance_custom_training,
    instance_segmentation,
)
from edgeseg.runtime.pixellib.semantic import semantic_segmentation

__all__ = [
    "alter_bg",
    "custom_segmentation",
    "instance_custom_training",
    "instance_segmentation",
    "semantic_segmentation",
]
