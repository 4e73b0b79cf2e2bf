"""How notices reach people: one interface, one file for each kind of destination."""
