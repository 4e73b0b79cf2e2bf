"""The tick: every check judged, its alerts carried on, its news delivered."""
