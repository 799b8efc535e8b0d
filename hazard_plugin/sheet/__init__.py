"""The map sheet: what it says, where its parts lie, and how they are drawn and exported."""
