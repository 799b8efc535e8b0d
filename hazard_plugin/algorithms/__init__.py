"""One Processing algorithm a file; each is the only way its operation is carried out."""
