"""People who rate by a front end of their own, over the wire."""

import httpx


def answer_all(site: str, invitation: str, *, code: str = "4", name: str = "") -> int:
    """Join by an invitation's address and answer every card with this code; how many."""
    api = httpx.Client(base_url=f"{site}/api/v1/", timeout=60)
    joined = api.post(f"join/{invitation.rstrip('/').rpartition('/')[2]}/", json={"consent": True, "name": name})
    joined.raise_for_status()
    api.headers["Authorization"] = f"Token {joined.json()['token']}"
    study, n_answered = joined.json()["study"], 0
    while cards := api.get(f"rate/{study}/cards/").raise_for_status().json():
        (card,) = cards
        assert api.get(card["images"][0]["url"]).headers["Content-Type"] == "image/webp"
        answers = {field: code for question in card["questions"] for field in question["fields"]}
        api.post(f"rate/{study}/cards/{card['token']}/", json={"answers": answers}).raise_for_status()
        n_answered += 1
    api.close()
    return n_answered
