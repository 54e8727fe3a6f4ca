"""The read model: who stands where, who has whom and until when, in Redis.

    lead-scores, tier-changes ──┐
    lead-assignments, sla-events ├──> worker view ──> Redis ──> serve, hot, lead, report
    lead-routing (log time) ────┘

Redis holds nothing that is not in Kafka: it may be emptied at any time and is filled again.
"""
