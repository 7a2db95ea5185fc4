"""The op `layer_scale`, brought to graphc by entry points."""
