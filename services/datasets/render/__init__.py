"""Makes the audio of datasets anew: rate, channels, loudness, pieces, encoding, and vocals out."""
