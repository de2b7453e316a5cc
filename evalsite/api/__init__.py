"""What all addresses under /api/ share: reading, refusing, paging and description.

The apps' API views do not import this package: REST_FRAMEWORK in the settings applies it to all of them. Read
`errors` first (every refusal is JSON), then `reading` (what a body may hold), `paging` and `schema`.
"""
