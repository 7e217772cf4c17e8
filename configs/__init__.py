"""A file an experiment: its differences from `jaxtrack.config.get_config`."""
