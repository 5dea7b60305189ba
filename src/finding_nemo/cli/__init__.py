"""One short file a verb: arguments in, one call, words out."""
