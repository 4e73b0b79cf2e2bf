"""What people read in Teams: one file for each kind of card."""
