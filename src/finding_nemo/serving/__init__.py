"""The page and the HTTP API over a bundle or a finished run."""
