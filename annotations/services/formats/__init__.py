"""A study in other programs' formats. `registry` lists them; `answers` is the stream that most are made of."""
