"""The porting guide: which API of one framework is which of another, measured."""
