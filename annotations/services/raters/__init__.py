"""What a rater may do with their data, what the site does with it by itself, and rules that leave raters out."""
