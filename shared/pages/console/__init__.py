"""The values of the operator's pages: overview, lists, one mailbox, invitations. Plain data in and out."""
