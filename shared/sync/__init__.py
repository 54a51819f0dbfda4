"""The sync: what one queue message about one mailbox does. It knows the other subjects by their ports.

engine.py handles the message, pass_opening.py creates the objects of a pass, and mailbox_sync.py is the algorithm. Its
steps are in reading/, planning/, and reconciling/; state/ has what a pass changes. recording/ has its figures,
back_off/ the waits after failures, and moving/ the move from one source to the other.
"""
