"""Gold items, checks and repeats among other cards: whether somebody who compares cards could find them."""
