import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.time.Instant;
import java.time.LocalDate;
import java.util.Set;

/** What a raw event means to the rules. */
public class Signal {
  static final int VISIT = 0, FORM = 1, OPEN = 2, BOUNCE = 3, PROFILE = 4;

  private static final JsonFactory JSON = new JsonFactory();
  private static final Set<String> SENIOR = Set.of("c_level", "vp", "director");

  public String lead;
  public int kind;
  /** Digest of session or message; of a profile, 1 for the senior. */
  public long what;
  public long at;
  public String event;
  public String time;

  public Signal() {}

  /** Reads an event; null where no rule looks at it. */
  static Signal of(byte[] value) throws IOException {
    String kind = null, url = null, session = null, message = null, bounce = null, seniority = null;
    boolean machine = false;
    Signal signal = new Signal();
    try (JsonParser json = JSON.createParser(value)) {
      json.nextToken();
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String name = json.currentName();
        json.nextToken();
        switch (name) {
          case "event_id": signal.event = json.getText(); break;
          case "kind": kind = json.getText(); break;
          case "occurred_at": signal.time = json.getText(); break;
          case "lead": signal.lead = inner(json, "lead_id"); break;
          case "url": url = json.getText(); break;
          case "session_id": session = json.getText(); break;
          case "message_id": message = json.getText(); break;
          case "machine": machine = json.getBooleanValue(); break;
          case "bounce_type": bounce = json.getText(); break;
          case "fields": seniority = inner(json, "seniority"); break;
          default: json.skipChildren();
        }
      }
    }
    switch (kind) {
      case "page_view":
        if (!isPricing(url)) return null;
        signal.kind = VISIT;
        signal.what = digest(session);
        break;
      case "email_open":
        if (machine) return null;
        signal.kind = OPEN;
        signal.what = digest(message);
        break;
      case "form_fill": signal.kind = FORM; break;
      case "bounce":
        if (!"hard".equals(bounce)) return null;
        signal.kind = BOUNCE;
        break;
      case "profile":
        signal.kind = PROFILE;
        signal.what = SENIOR.contains(seniority) ? 1 : 0;
        break;
      default: return null;
    }
    signal.at = millis(signal.time);
    return signal;
  }

  private static String inner(JsonParser json, String wanted) throws IOException {
    String found = null;
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String name = json.currentName();
      json.nextToken();
      if (name.equals(wanted)) found = json.getText();
      else json.skipChildren();
    }
    return found;
  }

  private static boolean isPricing(String url) {
    int host = url.indexOf("://");
    int path = host < 0 ? 0 : url.indexOf('/', host + 3);
    return path >= 0 && url.regionMatches(true, path, "/pricing", 0, 8);
  }

  private static long digest(String text) {
    long hash = 0xcbf29ce484222325L;
    for (int i = 0; i < text.length(); i++) hash = (hash ^ text.charAt(i)) * 0x100000001b3L;
    return hash;
  }

  /** The usual form by hand, as a parser for all forms costs more than the rules do. */
  private static long millis(String time) {
    if (time.length() != 24 || time.charAt(23) != 'Z' || time.charAt(19) != '.') return Instant.parse(time).toEpochMilli();
    long day = LocalDate.of(number(time, 0, 4), number(time, 5, 7), number(time, 8, 10)).toEpochDay();
    long second = day * 86_400 + number(time, 11, 13) * 3600L + number(time, 14, 16) * 60L + number(time, 17, 19);
    return second * 1000 + number(time, 20, 23);
  }

  private static int number(String text, int from, int to) {
    int value = 0;
    for (int i = from; i < to; i++) value = value * 10 + text.charAt(i) - '0';
    return value;
  }
}
