"""The network: embeddings, encoder, decoder, loss, and how they are built from a run file."""
