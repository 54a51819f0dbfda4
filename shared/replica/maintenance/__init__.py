"""Operations on a whole replica: compact, erase, verify, and export."""
