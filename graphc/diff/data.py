"""The report as data, for programs; docs/diff.md has the fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphc.diff.causes import shown
from graphc.diff.edits import Edit
from graphc.diff.figures import Figures, Totals

if TYPE_CHECKING:
    from graphc.diff.difference import Diff

VERSION = 1


def data(diff: Diff) -> dict[str, object]:
    """All that is known; the order of the keys is always the same."""
    weights = diff.weights
    return {
        "version": VERSION,
        "before": diff.before_name,
        "after": diff.after_name,
        "same": diff.same,
        "form": list(diff.done),
        "cost": diff.cost,
        "sentence": diff.sentence,
        "edits": [_edit(edit) for edit in diff.edits],
        "notes": diff.notes,
        "totals": {"before": _totals(diff.totals[0]), "after": _totals(diff.totals[1])},
        "blocks": [
            {"before": row.before, "after": row.after, "old": _figures(row.old), "new": _figures(row.new)}
            for row in diff.rows
        ],
        "weights": {
            "carried": weights.carried,
            "reshaped": {
                new: {"from": old, "before": list(map(str, before)), "after": list(map(str, after))}
                for new, (old, before, after) in weights.reshaped.items()
            },
            "new": list(weights.new),
            "lost": list(weights.lost),
        },
        "nodes": diff.nodes,
    }


def _edit(edit: Edit) -> dict[str, object]:
    return {
        "kind": edit.kind,
        "sign": edit.sign,
        "text": edit.text,
        "cost": edit.cost,
        "cause": edit.cause,
        "before": list(edit.before),
        "after": list(edit.after),
        "changes": {name: [[shown(a), shown(b)] for a, b in pairs] for name, pairs in edit.changes.items()},
        "follows": {"ops": edit.ops, "weights": edit.weights},
        "details": [_edit(detail) for detail in edit.details],
    }


def _figures(figures: Figures | None) -> dict[str, object] | None:
    if figures is None:
        return None
    return {
        "params": figures.params,
        "macs": figures.macs,
        "activation_bytes": figures.activations,
        "receptive_field": figures.field,
    }


def _totals(totals: Totals) -> dict[str, object]:
    return {
        **(_figures(totals.figures) or {}),
        "peak_inference_bytes": totals.peak,
        "saved_for_backward_bytes": totals.saved,
    }
