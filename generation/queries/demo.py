"""How the demo's material is found."""


def demo_set_name(seed: int) -> str:
    """The name of the prompt set that holds the demo scenes of a seed."""
    return f"Demo scenes (simulated, seed {seed})"
