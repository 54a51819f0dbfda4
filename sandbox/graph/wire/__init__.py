"""How Graph writes what goes over the wire: requests, answers, errors, query options, ids, and times."""
