"""From changes to writes: plans resolved against the replica, moves recognized, items fetched."""
