"""Owners under SLA: who must answer a lead, and until when.

- `policy`, `reading`, `language`, `checks`, `show`: the policy file; `shipped` has those that come along.
- `zones`, `calendars`: local days and working time, exact to the millisecond through daylight saving.
- `desk`: teams, picks, loads. `clocks`: what follows when. `kernel`: one record or one deadline, decided.
- `fold`: all of `lead-routing` as a fold that can be cut anywhere.
"""
