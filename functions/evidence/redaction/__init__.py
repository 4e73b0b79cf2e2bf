"""What may leave, in which form, and the proof that nothing else did."""
