"""The operator's pages: overview, list, one mailbox, invitations. They need the role Operator or Operator.Read."""
