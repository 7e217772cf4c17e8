"""Parts of tracker networks: images or features in, raw maps out; no paper's names."""
