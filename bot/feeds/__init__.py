"""The edge towards newsrooms: fetch, guard, decode, parse, read pages."""
