"""What a refined prompt adds."""

from generation.recipes.word_changes import Piece, changes


def test_what_is_added_after_the_original() -> None:
    pieces = changes("A fox stirs a stew.", "A fox stirs a stew. The ladle is in its paw.")
    assert pieces == [Piece("same", "A fox stirs a stew."), Piece("added", " The ladle is in its paw.")]


def test_a_word_in_the_place_of_another_and_one_left_out() -> None:
    pieces = changes("A red fox stirs a big stew", "a blue fox stirs a stew")
    assert [piece for piece in pieces if piece.change != "same"] == [
        Piece("removed", "red"),
        Piece("added", "blue"),
        Piece("removed", "big "),
    ]


def test_the_new_wording_can_be_read_off() -> None:
    for old, new in [
        ("", "a  hen"),
        ("a hen", ""),
        ("It's a hen's egg.", "an egg, the hen’s"),
        ("狐が走る", "狐は走る"),
    ]:
        kept = "".join(piece.text for piece in changes(old, new) if piece.change != "removed")
        assert kept == " ".join(new.split())


def test_the_same_again_in_other_capitals_is_not_a_change() -> None:
    assert changes("A Fox", "a  fox") == [Piece("same", "a fox")]
