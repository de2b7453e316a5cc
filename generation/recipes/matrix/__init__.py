"""Which images a run makes: prompts × methods × seeds.

Read `methods` first, then `matrix` and `plan`, which turns a matrix into steps. `experiments` has ready matrices,
`estimate` the cost, `manifest` the record from which an image can be made again.
"""
