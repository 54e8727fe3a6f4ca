"""The models that ship. Files, no code: `scoring.shipped` reads them."""
