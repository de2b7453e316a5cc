"""What every address under /api/ shares: how it reads, refuses, pages and describes itself.

The apps' API views name nothing of this room: REST_FRAMEWORK in the settings puts it under all of them. Read
`errors` first (every refusal is JSON), then `reading` (what a body may hold), `paging` and `schema`.
"""
