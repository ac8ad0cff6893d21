"""Trained networks made ready for translation: frozen, folded, quantised, and written into a folder of their own."""
