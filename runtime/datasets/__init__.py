"""Pictures with truth, one file a folder layout."""

from edgeseg.runtime.datasets._base import Dataset
from edgeseg.runtime.datasets._fingerprint import fingerprint
from edgeseg.runtime.datasets._open import DATASETS, open_dataset

__all__ = ["DATASETS", "Dataset", "fingerprint", "open_dataset"]
