"""Generated source, loaded: classes that are in no file, and are pickled, copied and inspected as if they were.

A pickled module holds the source that it is made by, once, and the name of each submodule's class.
"""

from __future__ import annotations

import hashlib
import linecache
import sys
from collections.abc import Callable, Iterator
from threading import RLock
from types import ModuleType
from typing import Any, TypeAlias
from weakref import WeakValueDictionary, finalize, ref

from torch import nn

Key: TypeAlias = tuple[str, str]
Reduced: TypeAlias = str | tuple[Any, ...]

_LOADED: WeakValueDictionary[Key, ModuleType] = WeakValueDictionary()
_LOCK = RLock()


def load(text: str, title: str) -> ModuleType:
    """A source text as a module: one and the same while any of its classes is in use, and then gone.

    Tracebacks and `inspect.getsource` see its lines; `title` is what tracebacks call it.
    """
    with _LOCK:
        found = _LOADED.get((text, title))
        if found is None:
            found = _run(text, title)
            _LOADED[text, title] = found
        return found


def restored(text: str, title: str, name: str) -> nn.Module:
    """A module as yet without state, of a class in a source text. Unpickling starts from it: pickles have its name."""
    kind: type[nn.Module] = getattr(load(text, title), name)
    return kind.__new__(kind)


def _run(text: str, title: str) -> ModuleType:
    name = f"<graphc {title} {hashlib.sha256(text.encode()).hexdigest()[:16]}>"
    loaded = ModuleType(name)
    loaded.__file__ = name
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    sys.modules[name] = _Stand(loaded)
    finalize(loaded, _forget, (text, title), name)
    exec(compile(text, name, "exec"), loaded.__dict__)  # noqa: S102  our own source: that is the live module
    for kind in _classes(loaded):
        type.__setattr__(kind, "__reduce_ex__", _reducer(loaded, text, title))
    return loaded


class _Stand(ModuleType):
    """What `inspect` finds for a source in `sys.modules`; it does not keep the source's classes alive."""

    def __init__(self, loaded: ModuleType) -> None:
        super().__init__(loaded.__name__)
        self.__file__ = loaded.__file__
        self._loaded = ref(loaded)

    def __getattr__(self, name: str) -> object:
        return getattr(self._loaded(), name)


def _forget(key: Key, name: str) -> None:
    with _LOCK:
        if key not in _LOADED:
            sys.modules.pop(name, None)
            linecache.cache.pop(name, None)


def _classes(loaded: ModuleType) -> Iterator[type[nn.Module]]:
    """The classes that a module itself has."""
    for value in vars(loaded).values():
        if isinstance(value, type) and issubclass(value, nn.Module) and value.__module__ == loaded.__name__:
            yield value


def _reducer(loaded: ModuleType, text: str, title: str) -> Callable[[nn.Module, int], Reduced]:
    """How the modules of a source are taken apart for pickle and copy. Their classes hold it, and it holds `loaded`."""

    def reduce(self: nn.Module, protocol: int) -> Reduced:
        kind = type(self)
        if vars(loaded).get(kind.__name__) is not kind:  # somebody's subclass, which is in a file of theirs
            return nn.Module.__reduce_ex__(self, protocol)
        return restored, (text, title, kind.__name__), self.__getstate__()

    return reduce
