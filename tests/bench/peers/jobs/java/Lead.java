/** What five rules need to know of a lead whose events come once and in order: flat, so that any engine stores it well. */
public class Lead {
  private static final long DAY = 86_400_000L;
  private static final int HOT = 0, WARM = 1, COLD = 2;
  private static final String[] NAMES = {"hot", "warm", "cold"};

  public int tier = COLD, seq;
  public boolean senior, repeated, together;
  public long form, bounce;
  /** The two last sessions and the three last messages, newest first; time 0: none. */
  public long session1, visited1, session2, visited2;
  public long message1, opened1, message2, opened2, message3, opened3;

  public Lead() {}

  /** Moves on by a signal; the tier change as JSON, or null. */
  String take(Signal signal) {
    switch (signal.kind) {
      case Signal.VISIT:
        if (signal.what != session1 || visited1 == 0) {
          session2 = session1;
          visited2 = visited1;
          session1 = signal.what;
        }
        visited1 = signal.at;
        repeated |= visited2 != 0 && signal.at - visited2 < 7 * DAY;
        together |= form != 0 && signal.at - form < DAY;
        break;
      case Signal.OPEN:
        open(signal.what, signal.at);
        break;
      case Signal.FORM:
        form = signal.at;
        together |= visited1 != 0 && signal.at - visited1 < DAY;
        break;
      case Signal.BOUNCE:
        bounce = signal.at;
        break;
      default:
        senior = signal.what == 1;
    }
    return judge(signal);
  }

  private void open(long message, long at) {
    boolean first = opened1 != 0 && message == message1, second = opened2 != 0 && message == message2;
    if (!first && !second) {
      message3 = message2;
      opened3 = opened2;
    }
    if (!first) {
      message2 = message1;
      opened2 = opened1;
    }
    message1 = message;
    opened1 = at;
  }

  private String judge(Signal signal) {
    boolean streak = opened3 != 0 && opened1 - opened3 < 14 * DAY && bounce < opened3;
    int total = (together ? 25 : 0) + (senior ? 20 : 0) + (repeated ? 15 : 0) + (streak ? 15 : 0) - (bounce > 0 ? 20 : 0);
    total = Math.min(Math.max(total, 0), 100);
    int after = total >= (tier == HOT ? 40 : 50) ? HOT : total >= (tier <= WARM ? 20 : 30) ? WARM : COLD;
    if (after == tier) return null;
    String before = NAMES[tier];
    tier = after;
    seq++;
    StringBuilder reasons = new StringBuilder();
    if (together) reason(reasons, "pricing_and_form", 25);
    if (senior) reason(reasons, "decision_maker", 20);
    if (bounce > 0) reason(reasons, "hard_bounce", -20);
    if (repeated) reason(reasons, "pricing_repeat", 15);
    if (streak) reason(reasons, "three_opens", 15);
    return "{\"lead_id\":\"" + signal.lead + "\",\"seq\":" + seq + ",\"from_tier\":\"" + before + "\",\"to_tier\":\""
        + NAMES[after] + "\",\"total\":" + total + ",\"reasons\":[" + reasons + "],\"event_id\":\"" + signal.event
        + "\",\"occurred_at\":\"" + signal.time + "\"}";
  }

  private static void reason(StringBuilder reasons, String rule, int points) {
    if (reasons.length() > 0) reasons.append(',');
    reasons.append("{\"rule\":\"").append(rule).append("\",\"points\":").append(points).append('}');
  }
}
