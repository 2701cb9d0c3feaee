"""Candidates in, observation requests out: visibility, terms, ranking, plan and payloads. No Django."""

#: The distribution that this package belongs to; a system check compares it, since another may bring a package of the same name.
DISTRIBUTION = "tom-alerce"
