"""Pages before, next to and after the rating card, and the pages on which a researcher plans and watches them."""
