"""What carries out the steps of a run: decomposing, wording, drawing, criticising, scoring and choosing.

`job` is what each of them is given, `orders` what is asked of an engine, `results` how its answer is saved.
`restoring` and `reusing` spare work that was done before.
"""
