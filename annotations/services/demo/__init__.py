"""The demo study, filled by simulated people: `study` makes it, `audit` and `repairs` answer its audit."""
