"""How the replica is stored: packs, feed pages, cursors and item rows as bytes."""
