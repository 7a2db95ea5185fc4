"""The language as a JSON Schema (draft 2020-12), for editors: from the ops, the standard blocks and a spec's own."""

from __future__ import annotations

from graphc.schema.file import file_schema
from graphc.schema.pieces import Json
from graphc.schema.scope import any_scope, scope_of

__all__ = ["schema"]


def schema(address: str | None = None) -> Json:
    """What may stand in any spec, or in the one at an address: then its own names are known, and no others taken.

    The schema of any spec takes every unknown name for a block; it can't know of blocks that have the name of an op.

    Raises:
        SpecError: there is no such spec, or it is not YAML. One with other mistakes still gives what can be read of it.
    """
    return file_schema(any_scope() if address is None else scope_of(address))
