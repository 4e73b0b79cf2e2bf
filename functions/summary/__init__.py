"""What a week of the watch came to, told once a week."""
