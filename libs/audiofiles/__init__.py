"""Reads files of audio that strangers made: what they are, whether they are whole, and their frames.

For sessions and stems; knows neither. `bounded` calls any of it in a process of its own.
"""
