"""`graphc verify`: the PyTorch module and the ONNX file of a graph, run side by side and compared value by value.

A value of ONNX Runtime is right when it is as near to the exact one as PyTorch's own is: see `graphc.verify.judge`.
"""

from graphc.verify.in_onnx import require_runtime
from graphc.verify.judge import TOLERANCE
from graphc.verify.result import Run, Verification
from graphc.verify.sizes import SizeError
from graphc.verify.verify import Asked, verify

__all__ = ["TOLERANCE", "Asked", "Run", "SizeError", "Verification", "require_runtime", "verify"]
