"""The documents of reports as frozen dataclasses: what a snapshot keeps, and what every page, table and file reads.

`study`, `preferences` and `critic` each hold one document; `estimates` and `provenance` hold what all of them share;
`conversion` turns any of them into JSON, back, and into the published schema. A new figure is a new field here.
"""
