"""One experiment from start to end: data, search, registration, all inside the budget; and its result."""
