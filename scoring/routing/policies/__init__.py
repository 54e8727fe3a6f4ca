"""The routing policies that ship, as files. `scoring.routing.shipped` reads them."""
