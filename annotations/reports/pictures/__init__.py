"""The pieces of charts: SVG text, axes, and a matrix of shares. `charts` is built from them."""
