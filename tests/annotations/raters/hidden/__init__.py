"""Gold items, checks and repeats among other cards: what somebody who compares them could find."""
