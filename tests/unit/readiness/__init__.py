"""Tests of the readiness check."""
