"""Defines no adapter."""

adapters = []
