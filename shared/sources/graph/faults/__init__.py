"""Graph's errors, translated into those of shared/errors.py."""
