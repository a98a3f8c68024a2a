"""Reads files of audio that strangers made: what they are, whether they are whole, their frames, what is heard in them.

Writes the files that several services make. Knows none of them. `bounded` calls any of it in a process of its own.
"""
