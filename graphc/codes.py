"""Every code a diagnostic can carry, and what it means."""

from __future__ import annotations

CODES: dict[str, str] = {
    "E101": "the text is not YAML",
    "E102": "a limit on the size of a spec is passed",
    "E103": "a key is written twice",
    "E104": "a YAML feature that a spec does not use",
    "E105": "an address that leads to no spec that can be read",
    "E201": "a list, a mapping or a text stands where something else is expected",
    "E202": "an unknown key",
    "E203": "a key is missing",
    "E204": "a step without an op, or with several",
    "E205": "a name that can't be used here",
    "E206": "an unknown variant",
    "E207": "a value that is not allowed here",
    "E301": "the text is no expression",
    "E302": "an unknown name in an expression",
    "E303": "an expression that can't be evaluated",
    "E304": "a condition over a free size",
    "E305": "a limit on evaluation is passed",
    "E401": "an unknown op or block",
    "E402": "an unknown attribute or parameter",
    "E403": "an attribute or parameter is missing",
    "E404": "an attribute or parameter has a wrong value",
    "E405": "the operands don't fit the op",
    "E501": "shapes that an op can't take",
    "E502": "sizes that agree for some inputs only, and the spec promises more",
    "E503": "the example sizes can't be taken",
    "E601": "an expectation is not met",
    "E901": "a backend can't express a part of the graph",
    "W101": "a value that nothing reads",
}
