"""The directory: tenants, people, app registrations."""
