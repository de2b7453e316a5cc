"""A study in other programs' formats. `registry` lists them; `answers` is the stream from which most are written."""
