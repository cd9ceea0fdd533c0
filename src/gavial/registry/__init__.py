"""The use cases, one file a verb: what the public functions and the command line call."""
