"""REST endpoints: what a user may see, and may do, as JSON; a file for each resource. Ids are strings, since some exceed 2**53."""
