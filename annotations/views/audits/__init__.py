"""The pages of an audit.

The auditor's are in `pages` and `saves`, the researcher's in `plan`, `matching` and `critic`.
"""
