"""Chat commands and buttons: one module per topic, each exposes `handlers()`."""
