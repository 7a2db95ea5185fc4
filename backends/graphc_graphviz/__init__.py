"""The Graphviz backend of graphc."""
