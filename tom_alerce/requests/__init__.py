"""What leaves for a telescope: requests as a state machine, drafted from a plan and checked at the facility."""
