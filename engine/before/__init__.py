"""The scene from before the event as a second input: matched to the later one, compared, and told what is new."""
