"""Files that `torch.save` has written: tensors alone are read from them, never code."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from zipfile import is_zipfile

import torch
from torch import Tensor


def read(path: Path) -> Mapping[str, object]:
    """The tensors of a file, in the mappings that they are in there; those of a new file stay on the disk.

    Raises:
        ValueError: it is damaged, or holds more than tensors.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what torch thinks of old files
            return _tensors(torch.load(path, map_location="cpu", weights_only=True, mmap=is_zipfile(path)))
    except OSError:
        raise
    except UnpicklingError as error:
        raise ValueError("it is none that torch.save made of tensors alone; save `model.state_dict()`") from error
    except Exception as error:  # torch raises whatever the damaged bytes lead to
        raise ValueError(f"it is damaged ({type(error).__name__})") from error


def _tensors(found: object) -> Mapping[str, object]:
    """A mapping with its tensors and mappings, without what is neither."""
    items = found.items() if isinstance(found, Mapping) else ()
    return {
        str(name): _tensors(value) if isinstance(value, Mapping) else value
        for name, value in items
        if isinstance(value, Mapping) or _is_plain(value)
    }


def _is_plain(value: object) -> bool:
    return isinstance(value, Tensor) and value.layout is torch.strided and not value.is_quantized
