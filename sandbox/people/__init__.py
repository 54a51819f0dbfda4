"""Who there is: tenants, people, app registrations."""
