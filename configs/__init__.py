"""Settings: `common` has every field, the others state differences."""
