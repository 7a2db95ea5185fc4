"""Which names a spec may give: those that are right in an expression, in a path and as an attribute of a module."""

from __future__ import annotations

from keyword import iskeyword
from unicodedata import normalize

_WORDS = frozenset(("x", "none", "true", "false", "null", "self"))
MODULE_NAMES = frozenset(
    """
    T_destination add_module apply bfloat16 buffers call_super_init children compile cpu cuda double dump_patches eval
    extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half ipu load_state_dict modules
    mtia named_buffers named_children named_modules named_parameters parameters register_backward_hook register_buffer
    register_forward_hook register_forward_pre_hook register_full_backward_hook register_full_backward_pre_hook
    register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module register_parameter
    register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ set_extra_state set_submodule
    share_memory state_dict to to_empty train training type xpu zero_grad
    """.split()  # noqa: SIM905, a list literal is one name a line
)
"""What every `torch.nn.Module` already has: a submodule of that name would be shadowed without a word."""


def refusal(name: str) -> tuple[str, str] | None:
    """Why a text can't be a name, and a hint; None where it can."""
    if not name.isidentifier() or normalize("NFKC", name) != name:
        return f"`{name}` can't be a name: letters, digits and _, no digit first", ""
    if name.startswith("_"):
        return f"`{name}` can't be a name: torch keeps those that begin with _", ""
    if iskeyword(name) or name in _WORDS:
        return f"`{name}` has a meaning of its own and can't be a name", f"write `{name}_`"
    if name in MODULE_NAMES:
        return f"`{name}` is a name that every torch module already has", f"write `{name}_`"
    return None
