"""Pictures of pages, as SVG or PNG."""
