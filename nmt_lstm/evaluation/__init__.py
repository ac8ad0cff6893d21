"""Corpus scores through sacreBLEU, always with their signatures."""
