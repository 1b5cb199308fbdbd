"""Learning as a problem of the engine: from data and options to what is searched, and from a trial to a model."""
