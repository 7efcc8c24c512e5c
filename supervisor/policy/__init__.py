"""Pure decisions: values in, values out; `now` and `roll` are arguments."""
