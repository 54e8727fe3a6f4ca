"""Reading the policy file, one module a part of it; the steps below are those of the model (`scoring.language`).

- `days`: hours of a week, days, absences, zones.
- `people`: the sections `owners` and `teams`.
- `routes`: the sections `routes`, `sla` and what goes with them.
"""
