"""From text to files and callables."""
