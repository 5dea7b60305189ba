"""Images by their addresses: politely, whole or not at all, and each that is missing with why."""
