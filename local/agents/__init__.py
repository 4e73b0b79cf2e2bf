"""A small fleet of real agents with a scripted model, instrumented as in production."""
