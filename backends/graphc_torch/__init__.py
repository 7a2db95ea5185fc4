"""The PyTorch backend of graphc."""
