"""How news reach people: what is written of them, where it is sent, and what came back."""
