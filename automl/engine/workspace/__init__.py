"""Everything on disk: layout, ids, locks, atomic writes, format versions, control requests."""
