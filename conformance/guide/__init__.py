"""The porting guide: for each API of one framework, the measured equivalent in another."""
