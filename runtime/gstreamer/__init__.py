"""Raw RGB frames from and to ``gst-launch-1.0`` child processes.

pip's OpenCV is built without GStreamer, and its Python bindings cannot be installed
into every environment. A child process needs neither, and where a driver hangs or
crashes it takes only itself along. Frames cross a pipe.
"""

from edgeseg.runtime.gstreamer.child import has_elements, quoted
from edgeseg.runtime.gstreamer.reader import GstReader
from edgeseg.runtime.gstreamer.writer import GstWriter

__all__ = ["GstReader", "GstWriter", "has_elements", "quoted"]
