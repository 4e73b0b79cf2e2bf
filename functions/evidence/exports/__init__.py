"""Exports as jobs: asked for, planned, read slice by slice, merged, finished."""
