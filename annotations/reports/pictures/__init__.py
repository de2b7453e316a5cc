"""The pieces of pictures: SVG text, axes, and a matrix of shares. `charts` is made of them."""
