"""What there was on each day, sealed, so that nothing vanishes unseen."""
