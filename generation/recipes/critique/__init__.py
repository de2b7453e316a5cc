"""What a critic says about an image, and the prompt refined by it.

Read `by_model` first, then `claims` and `refined_prompt`. `by_questions` asks an answerer instead of a critic.
"""
