"""The documents of reports as frozen dataclasses: a snapshot stores them, and every page, table and file reads them.

`study`, `preferences` and `critic` each hold one document; `estimates` and `provenance` hold the parts that all of them
share; `conversion` turns any of them into JSON, back, and into the published schema. A new figure is a new field here.
"""
