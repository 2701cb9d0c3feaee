"""Facilities: one file each with a function ``payload(request)`` that returns the form data of one TOM facility."""
