"""What people want not to hear of for a while, under their name; and what it hid."""
