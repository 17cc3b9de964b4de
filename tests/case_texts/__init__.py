"""Texts of good cases that several tests share, by what they are about."""
