"""A TOM to be deployed in containers: the toolkit with the plugin, told by its environment what differs from place to place."""
