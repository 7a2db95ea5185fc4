"""Every code a diagnostic can carry: what it says and what to do about it, for `graphc explain` and the manual."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of finding: its title, and a paragraph for who meets it the first time."""

    title: str
    meaning: str


CODES: dict[str, Code] = {
    "E101": Code(
        "the text is not YAML",
        "The place is where the YAML parser gave up; the cause is often just before it: a missing quote around "
        "text that has `: ` or `#` in it, a bracket that is not closed, a tab, or `- relu` with keys below it "
        "that needs a colon, `- relu:`.",
    ),
    "E102": Code(
        "a limit on the size of a spec is passed",
        "A spec is a text that a person reads. Its bytes, its YAML nodes and the depth of their nesting are "
        "bounded, so that no file can exhaust the machine.",
    ),
    "E103": Code(
        "a key is written twice",
        "YAML would silently keep the last one. Two steps of the same op are two entries of a list, each with its "
        "own `- `.",
    ),
    "E104": Code(
        "a YAML feature that a spec does not use",
        "Tags and several documents are not part of the language, and an alias needs an anchor before it. What is "
        "used twice is a block. An expression that begins with `*`, `&` or `!` must be quoted.",
    ),
    "E105": Code(
        "an address that leads to no spec that can be read",
        "An address is a file (specs/unet.yaml), one at a git revision (git:HEAD~1:specs/unet.yaml) or the name of an "
        "installed spec (unet), with `:variant` behind it where one is meant (resnet:resnet18).",
    ),
    "E106": Code(
        "a setting that is not of the form name=value",
        "`--set width=32` sets a parameter of the spec, `--size H=512,W=512` the example sizes of its inputs.",
    ),
    "E107": Code(
        "a text that YAML splits at its comma",
        "Inside {} and [] a comma ends a text, also between parentheses: `{width: max(1, C // 4)}` is two keys. "
        'Quote the expression: `{width: "max(1, C // 4)"}`.',
    ),
    "E108": Code(
        "a file that is used or extended and can't be had",
        "What `use` and `extends` name lies in the folder of the spec, looked for beside the file that names it, or "
        "comes with graphc. Files can't use each other in a circle.",
    ),
    "E109": Code(
        "a file that is no graph",
        "A graph is read from a spec, from what `graphc expand SPEC --as json` saved (.json), or from a model (.onnx). "
        "A saved graph is checked as if it were new; the message says which of its parts is wrong.",
    ),
    "E201": Code(
        "a list, a mapping or a text stands where something else is expected",
        "A graph is a list of steps, the arguments of a step are a mapping or its main argument alone, names are "
        "texts.",
    ),
    "E202": Code(
        "an unknown key",
        "The keys of a file, a block, a dim or an expectation are fixed; the hint lists them.",
    ),
    "E203": Code("a key is missing", "The hint shows the form with the key in it."),
    "E204": Code(
        "a step without an op, or with several",
        "A step is one op or block, `do` or `let`, and keys beside it: id, from, for, repeat, when, doc. A "
        "misspelt key looks like a second op.",
    ),
    "E205": Code(
        "a name that can't be used here",
        "Names become attributes of torch modules and parts of paths. Python's keywords, the names that every "
        "`torch.nn.Module` already has, and names already given in the same block are refused.",
    ),
    "E206": Code("an unknown variant", "`default` and `expect` name variants of the file."),
    "E207": Code("a value that is not allowed here", "The message says which values are."),
    "E301": Code(
        "the text is no expression",
        "Expressions have Python's arithmetic, comparisons, `and or not`, `a if c else b`, `e for v in list`, "
        "slices and paths. The caret stands where reading stopped.",
    ),
    "E302": Code(
        "an unknown name in an expression",
        "Only parameters, sizes, inputs, loop variables, ids, labels and lets of the block can be read, and what "
        "stands inside a step with an id: `stage.0`, `down.*.features`.",
    ),
    "E303": Code(
        "an expression that can't be evaluated",
        "Its parts are of kinds that don't go together: a number where a value is needed, a list of another "
        "length, a division by zero.",
    ),
    "E304": Code(
        "a condition over a free size",
        "`when` and `a if c else b` decide what the network is. A size that is only known when it runs can't. "
        "Make it a parameter, or a number in the input's shape.",
    ),
    "E305": Code(
        "a limit on evaluation is passed",
        "Numbers, lists, repeats, nodes and the nesting of blocks are bounded; a block that uses itself has no end.",
    ),
    "E306": Code(
        "a part of the language that is not there yet",
        "The form is right and means what the reference says, but this version can't elaborate it.",
    ),
    "E307": Code(
        "a `let` that nothing reads",
        "A name that is given and never used is most often a misspelt one somewhere else.",
    ),
    "E308": Code(
        "a rule of `weights` that fits no weight",
        "The left side of a rule is a path, or the beginning of one, of weights of this network: "
        "`stage.{s}.unit.{u}.conv`. It may be misspelt, or all of its weights are those of a rule before it: the first "
        "that fits counts. What only some variants have is no error.",
    ),
    "E309": Code(
        "two weights that are one tensor of the file",
        "In a file each weight has a tensor of its own. The name on the right side of a rule lacks a number, as in "
        "`block.{i}: layer.conv`, or it needs `split`.",
    ),
    "E401": Code(
        "an unknown op or block",
        "Ops are named as in torch.nn.functional. Blocks are those of the file and the standard ones.",
    ),
    "E402": Code(
        "an unknown attribute or parameter",
        "Attributes are those of torch.nn; what follows from the input (`in_channels`) is never written.",
    ),
    "E403": Code("an attribute or parameter is missing", "It has no default; the hint shows the form."),
    "E404": Code("an attribute or parameter has a wrong value", "The message says what it must be and what it got."),
    "E405": Code(
        "the operands don't fit the op",
        "The op or block takes other inputs, or another number of them. `from` gives operands in order or by name.",
    ),
    "E501": Code(
        "shapes that an op can't take",
        "The notes say who gives each operand, and its shape. A size that depends on the input is written as a "
        "formula: where no input makes the shapes fit, it is an error here.",
    ),
    "E502": Code(
        "the spec promises sizes that the graph can't take",
        "`dims` says with `multiple`, `plus` and `min` which sizes are taken; the graph needs fewer. The hint is "
        "the declaration that would be true.",
    ),
    "E503": Code(
        "the example sizes can't be taken",
        "The example in `dims` is one of the sizes for which a step fails; the notes say where.",
    ),
    "E504": Code(
        "a shared module is used on inputs that need other weights",
        "What stands under `shared` has its weights once. All its uses must give it inputs of the same channels or "
        "features; the notes say who uses it first.",
    ),
    "E601": Code(
        "an expectation is not met",
        "`expect` states what the paper or a reference implementation has. Counts are exact, MACs to the digits "
        "written.",
    ),
    "E701": Code(
        "a file of weights that can't be read",
        "Weights are read from .safetensors, and from what `torch.save` makes of a state dict (.pt, .pth, .bin); of "
        "that only tensors are read, never code.",
    ),
    "E702": Code(
        "weights that don't fit the network",
        "The file lacks weights of the network, has others that it doesn't have, or has some in another shape. Its "
        "names are taken for the network's own paths, or for those that one of the tables under `weights` gives, "
        "whichever fits best. It is most often the file of another variant.",
    ),
    "E901": Code(
        "a backend can't express a part of the graph",
        "The spec is right, but this output can't be made of it.",
    ),
    "W101": Code(
        "a value that nothing reads",
        "A step or an input reaches no output. A `from` may be missing after it.",
    ),
    "W102": Code(
        "a parameter or a free size that nothing uses",
        "It is declared, and no text of its block or file mentions it. Leave it out, or use it.",
    ),
    "W103": Code(
        "an operator that graphc has no op for",
        "A model was read in which something stands as its file has it, by name alone: it can be drawn and compared, "
        "and its parameters are counted, but not its MACs, and no backend can write it.",
    ),
}
