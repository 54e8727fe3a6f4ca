"""Reading the model file: from YAML text to a checked `scoring.model.Model`, or to every mistake with its place.

The way of a file, one module a step:

- `nodes`: text to a tree of scalars, lists and mappings, each with its place; what is unsafe in YAML is refused.
- `values`: one scalar to a duration, points, a name, a pattern.
- `mappings`: a mapping whose keys are known beforehand; unknown, missing and misspelt keys.
- `kinds`: a rule, from the annotations of the rule kinds.
- `sections`: signals, rules, score and tiers.
- `references`: names of one section that another one uses.
- `thresholds`: numbers that must agree with one another.
- `matching`: signals that no event can match.

Each step reports to `problems.Problems` and goes on with what is readable, so that one run finds every mistake.
"""
