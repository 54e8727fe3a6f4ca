/* Raw JSON event to row of the log in one pass, without an object for what lies between.

What most events look like is read here; of anything else `read_event` says None, and `schemas.wire` reads it: a text
with a backslash, an array, a number that is no small integer, a member twice, a time not written as `iso` writes it,
whatever is out of its bounds. So nothing is refused here, and nothing is taken that `schemas.wire` would not take: a
property test holds the two to the same bytes.

The bytes of a Python object end with a zero, and no text may have one: a reader stops there at the latest.
The bounds come from `schemas/limits.py`, through `setup.py`. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define MOST_BYTES 8192
#define ROOM (MOST_BYTES + 512)
#define MOST_COMPARED 32

enum { ABSENT, NOTHING, NO, YES, NUMBER, TEXT, OBJECT };

typedef struct {
    int is;
    int wide;         /* has code points of several bytes */
    const char *at;   /* of a text, without its quotes */
    Py_ssize_t bytes;
    int64_t number;
} Value;

typedef struct {
    char *at, *end;
} Writer;

/* ---------------------------------------------------------------- msgpack, each value in its shortest form */

static int put(Writer *out, const void *bytes, Py_ssize_t count)
{
    if (out->end - out->at < count)
        return 0;
    memcpy(out->at, bytes, (size_t)count);
    out->at += count;
    return 1;
}

static int put_headed(Writer *out, unsigned char head, uint64_t number, int bytes)
{
    unsigned char data[9] = {head};
    for (int place = bytes; place; place--, number >>= 8)
        data[place] = (unsigned char)number;
    return put(out, data, 1 + bytes);
}

static int put_number(Writer *out, int64_t number)
{
    uint64_t bits = (uint64_t)number;
    if (number >= 0) {
        if (number < 128) return put_headed(out, (unsigned char)number, 0, 0);
        if (number <= UINT8_MAX) return put_headed(out, 0xcc, bits, 1);
        if (number <= UINT16_MAX) return put_headed(out, 0xcd, bits, 2);
        if (number <= UINT32_MAX) return put_headed(out, 0xce, bits, 4);
        return put_headed(out, 0xcf, bits, 8);
    }
    if (number >= -32) return put_headed(out, (unsigned char)(int8_t)number, 0, 0);
    if (number >= INT8_MIN) return put_headed(out, 0xd0, bits, 1);
    if (number >= INT16_MIN) return put_headed(out, 0xd1, bits, 2);
    if (number >= INT32_MIN) return put_headed(out, 0xd2, bits, 4);
    return put_headed(out, 0xd3, bits, 8);
}

static int put_text(Writer *out, const char *text, Py_ssize_t bytes)
{
    int headed = bytes < 32 ? put_headed(out, (unsigned char)(0xa0 | bytes), 0, 0)
        : bytes <= UINT8_MAX ? put_headed(out, 0xd9, (uint64_t)bytes, 1)
                             : put_headed(out, 0xda, (uint64_t)bytes, 2);
    return headed && put(out, text, bytes);
}

static int put_value(Writer *out, const Value *value)
{
    switch (value->is) {
    case NO: return put_headed(out, 0xc2, 0, 0);
    case YES: return put_headed(out, 0xc3, 0, 0);
    case NUMBER: return put_number(out, value->number);
    case TEXT: return put_text(out, value->at, value->bytes);
    default: return put_headed(out, 0xc0, 0, 0);
    }
}

static int put_map(Writer *out, int count)
{
    return count < 16 ? put_headed(out, (unsigned char)(0x80 | count), 0, 0)
                      : put_headed(out, 0xde, (uint64_t)count, 2);
}

/* ---------------------------------------------------------------- JSON: each reads one thing from `at` on and says
   where it ends; NULL where it is nothing that is taken here */

static const char *skip_blanks(const char *at)
{
    while (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')
        at++;
    return at;
}

/* How many of the bytes from `at` on are plain: no quote, backslash, control or part of a larger code point. Eight at a
   time; the last few are looked at one by one. */
static const char *skip_plain(const char *at, const char *end)
{
    const uint64_t ones = 0x0101010101010101u, tops = 0x8080808080808080u;
    while (end - at >= 8) {
        uint64_t eight;
        memcpy(&eight, at, 8);
        uint64_t quotes = eight ^ (ones * '"'), backslashes = eight ^ (ones * '\\');
        uint64_t found = (quotes - ones) & ~quotes;
        found |= ((backslashes - ones) & ~backslashes) | (eight - ones * 0x20) | eight;
        if (found & tops)
            break;
        at += 8;
    }
    while (at < end && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80 && *at != '"' && *at != '\\')
        at++;
    return at;
}

static int continues(const char *at, unsigned char least, unsigned char most)
{
    return (unsigned char)*at >= least && (unsigned char)*at <= most;
}

/* A code point of several bytes, as UTF-8 allows it. */
static const char *skip_wide(const char *at)
{
    unsigned char first = (unsigned char)*at++;
    if (first < 0xc2 || first > 0xf4)
        return NULL;
    if (first >= 0xe0) {
        unsigned char least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
        unsigned char most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
        if (!continues(at++, least, most))
            return NULL;
        if (first >= 0xf0 && !continues(at++, 0x80, 0xbf))
            return NULL;
    }
    return continues(at, 0x80, 0xbf) ? at + 1 : NULL;
}

static const char *read_text(const char *at, const char *end, Value *value)
{
    if (*at != '"')
        return NULL;
    value->is = TEXT;
    value->wide = 0;
    value->at = ++at;
    while (*(at = skip_plain(at, end)) != '"') {
        if ((unsigned char)*at < 0x80 || (at = skip_wide(at)) == NULL)
            return NULL;
        value->wide = 1;
    }
    value->bytes = at - value->at;
    return at + 1;
}

static const char *read_number(const char *at, Value *value)
{
    int is_negative = *at == '-', digits = 0;
    uint64_t number = 0;
    at += is_negative;
    if (*at == '0' && (is_negative || (at[1] >= '0' && at[1] <= '9')))
        return NULL;
    for (; *at >= '0' && *at <= '9'; at++, digits++) {
        if (digits == 18)
            return NULL;
        number = number * 10 + (uint64_t)(*at - '0');
    }
    if (!digits || *at == '.' || *at == 'e' || *at == 'E')
        return NULL;
    value->is = NUMBER;
    value->number = is_negative ? -(int64_t)number : (int64_t)number;
    return at;
}

static const char *read_scalar(const char *at, const char *end, Value *value)
{
    if (*at == '"')
        return read_text(at, end, value);
    if (end - at >= 5) {
        if (memcmp(at, "null", 4) == 0) return value->is = NOTHING, at + 4;
        if (memcmp(at, "true", 4) == 0) return value->is = YES, at + 4;
        if (memcmp(at, "false", 5) == 0) return value->is = NO, at + 5;
    }
    return read_number(at, value);
}

/* A key with its colon; `at` is then where its value begins. */
static const char *read_key(const char *at, const char *end, Value *key)
{
    at = read_text(at, end, key);
    if (at == NULL || *(at = skip_blanks(at)) != ':')
        return NULL;
    return skip_blanks(at + 1);
}

/* Behind a value: the next key, or `at` the end of the object where `*open` is 0 then. */
static const char *read_comma(const char *at, int *open)
{
    at = skip_blanks(at);
    *open = *at == ',';
    if (!*open)
        return *at == '}' ? at + 1 : NULL;
    return skip_blanks(at + 1);
}

static const char *begin_object(const char *at, int *open)
{
    at = skip_blanks(at + 1);
    *open = *at != '}';
    return *open ? at : at + 1;
}

static int fits(const Value *text, Py_ssize_t least, Py_ssize_t most)
{
    /* No text has more code points than bytes; how many a longer one has is for others to count. */
    return text->bytes >= least && text->bytes <= most;
}

/* ---------------------------------------------------------------- what an event is made of */

enum {
    EVENT_ID, KIND, OCCURRED_AT, LEAD, SOURCE, URL, TITLE, REFERRER, DWELL_MS, USER_AGENT, SESSION_ID, ASSET,
    MESSAGE_ID, CAMPAIGN_ID, MACHINE, IN_REPLY_TO, FORM_ID, FORM_TYPE, FIELDS, BOUNCE_TYPE, REASON, ACTIVITY, BY,
    MEMBERS
};

static const char *const NAMES[MEMBERS] = {
    "event_id", "kind", "occurred_at", "lead", "source", "url", "title", "referrer", "dwell_ms", "user_agent",
    "session_id", "asset", "message_id", "campaign_id", "machine", "in_reply_to", "form_id", "form_type", "fields",
    "bounce_type", "reason", "activity", "by"};

enum {
    REQUIRED_ID, ID, REQUIRED_TEXT, SHORT_TEXT, REQUIRED_LINK, LINK, AGENT, TIME, FLAG, MAP, REQUIRED_MAP, BOUNCE, DEED
};

typedef struct {
    int member, is;
} Field;

typedef struct {
    const char *name;
    int tag, count;
    Field fields[6];
} Kind;

#define ACTIVITY_FIELDS \
    5, {{MESSAGE_ID, REQUIRED_ID}, {CAMPAIGN_ID, ID}, {URL, LINK}, {MACHINE, FLAG}, {IN_REPLY_TO, ID}}

/* Tags and order of fields as in `schemas.log`, bounds as in `schemas.events`. */
static const Kind KINDS[] = {
    {"page_view", 1, 6, {{URL, REQUIRED_LINK}, {TITLE, SHORT_TEXT}, {REFERRER, LINK}, {DWELL_MS, TIME},
                         {USER_AGENT, AGENT}, {SESSION_ID, ID}}},
    {"download", 2, 2, {{ASSET, REQUIRED_TEXT}, {URL, LINK}}},
    {"email_open", 3, 4, {{MESSAGE_ID, REQUIRED_ID}, {CAMPAIGN_ID, ID}, {MACHINE, FLAG}, {USER_AGENT, AGENT}}},
    {"email_sent", 4, ACTIVITY_FIELDS},
    {"email_click", 5, ACTIVITY_FIELDS},
    {"email_reply", 6, ACTIVITY_FIELDS},
    {"unsubscribe", 7, ACTIVITY_FIELDS},
    {"resubscribe", 8, ACTIVITY_FIELDS},
    {"complaint", 9, ACTIVITY_FIELDS},
    {"form_fill", 10, 3, {{FORM_ID, REQUIRED_ID}, {FORM_TYPE, SHORT_TEXT}, {FIELDS, MAP}}},
    {"bounce", 11, 3, {{MESSAGE_ID, REQUIRED_ID}, {BOUNCE_TYPE, BOUNCE}, {REASON, SHORT_TEXT}}},
    {"profile", 12, 1, {{FIELDS, REQUIRED_MAP}}},
    {"sales_activity", 13, 3, {{ACTIVITY, DEED}, {BY, SHORT_TEXT}, {REASON, SHORT_TEXT}}},
};
#define KIND_COUNT ((int)(sizeof KINDS / sizeof *KINDS))

static PyObject *kind_texts[KIND_COUNT];
static signed char places[128]; /* member + 1 by the hash of its name */
static uint32_t crc_table[256];

static unsigned place_of(const char *name, Py_ssize_t bytes)
{
    return (unsigned)(bytes * 7 + (unsigned char)name[0] + (unsigned char)name[bytes - 1] * 3) & 127;
}

static int is_text(const Value *value, const char *text)
{
    return (size_t)value->bytes == strlen(text) && memcmp(value->at, text, (size_t)value->bytes) == 0;
}

static int member_of(const Value *key)
{
    if (!key->bytes)
        return -1;
    for (unsigned place = place_of(key->at, key->bytes); places[place]; place = (place + 1) & 127)
        if (is_text(key, NAMES[places[place] - 1]))
            return places[place] - 1;
    return -1;
}

static int is_one_of(const Value *value, const char *const *texts)
{
    for (; value->is == TEXT && *texts; texts++)
        if (is_text(value, *texts))
            return 1;
    return 0;
}

static const char *const BOUNCES[] = {"hard", "soft", "blocked", NULL};
static const char *const DEEDS[] = {"contacted", "proposal_sent", "meeting_booked", "meeting_held",
                                    "accepted", "discarded", "won", "lost", NULL};

typedef struct {
    Value members[MEMBERS];
    Value lead_id, email, anonymous_id;
    const char *map_begin;
    Writer map;
    int map_count;
} Event;

/* `lead`: up to three names, and members that nobody knows. */
static const char *read_lead(const char *at, const char *end, Event *event)
{
    int open;
    if (*at != '{')
        return NULL;
    at = begin_object(at, &open);
    while (open) {
        Value key, unknown = {ABSENT}, *value = &unknown;
        if ((at = read_key(at, end, &key)) == NULL)
            return NULL;
        if (is_text(&key, "lead_id")) value = &event->lead_id;
        else if (is_text(&key, "email")) value = &event->email;
        else if (is_text(&key, "anonymous_id")) value = &event->anonymous_id;
        if (value->is != ABSENT || (at = read_scalar(at, end, value)) == NULL || (at = read_comma(at, &open)) == NULL)
            return NULL;
    }
    return at;
}

/* `fields`: names and scalars, into the msgpack of the map's inside. */
static const char *read_map(const char *at, const char *end, Event *event)
{
    Value keys[MOST_COMPARED];
    int open, count = 0;
    at = begin_object(at, &open);
    while (open) {
        Value *key = &keys[count], value;
        if (count == MOST_COMPARED || (at = read_key(at, end, key)) == NULL || !fits(key, 1, MAX_FIELD_NAME))
            return NULL;
        for (int other = 0; other < count; other++)
            if (keys[other].bytes == key->bytes && memcmp(keys[other].at, key->at, (size_t)key->bytes) == 0)
                return NULL;
        if ((at = read_scalar(at, end, &value)) == NULL || (value.is == TEXT && !fits(&value, 0, MAX_FIELD_TEXT)))
            return NULL;
        if (!put_text(&event->map, key->at, key->bytes) || !put_value(&event->map, &value))
            return NULL;
        count++;
        if ((at = read_comma(at, &open)) == NULL)
            return NULL;
    }
    event->map_count = count;
    return at;
}

static int read_members(const char *at, const char *end, Event *event)
{
    int open;
    if (*(at = skip_blanks(at)) != '{')
        return 0;
    at = begin_object(at, &open);
    while (open) {
        Value key, unknown = {ABSENT}, *value = &unknown;
        if ((at = read_key(at, end, &key)) == NULL)
            return 0;
        int member = member_of(&key);
        if (member >= 0)
            value = &event->members[member];
        if (value->is != ABSENT)
            return 0;
        if (member == LEAD || (member == FIELDS && *at == '{')) {
            value->is = OBJECT;
            at = member == LEAD ? read_lead(at, end, event) : read_map(at, end, event);
        } else {
            at = read_scalar(at, end, value);
        }
        if (at == NULL || (at = read_comma(at, &open)) == NULL)
            return 0;
    }
    return skip_blanks(at) == end;
}

static int digits(const char *at, int count)
{
    int number = 0;
    for (; count; count--, at++) {
        if (*at < '0' || *at > '9')
            return -1;
        number = number * 10 + (*at - '0');
    }
    return number;
}

/* Milliseconds since 1970 of a time as `iso` writes it, with or without thousandths; -1 of any other. */
static int64_t read_time(const Value *value)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const char *at = value->at;
    if (value->is != TEXT || (value->bytes != 20 && value->bytes != 24) || at[value->bytes - 1] != 'Z')
        return -1;
    if (at[4] != '-' || at[7] != '-' || at[10] != 'T' || at[13] != ':' || at[16] != ':')
        return -1;
    int milli = 0;
    if (value->bytes == 24 && (at[19] != '.' || (milli = digits(at + 20, 3)) < 0))
        return -1;
    int year = digits(at, 4), month = digits(at + 5, 2), day = digits(at + 8, 2);
    int hour = digits(at + 11, 2), minute = digits(at + 14, 2), second = digits(at + 17, 2);
    if (year < 1970 || month < 1 || month > 12 || day < 1 || (hour | minute | second) < 0)
        return -1;
    int is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (day > lengths[month - 1] + (month == 2 && is_leap) || hour > 23 || minute > 59 || second > 59)
        return -1;
    /* Days since 1970, of years that begin with March: what a leap year adds comes last. */
    int64_t from = month > 2 ? year : year - 1, of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t days = from * 365 + from / 4 - from / 100 + from / 400 + of_year - 719468;
    return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + milli;
}

/* Writes a field as its contract allows it; 0 where it does not, or where that is for others to say. */
static int put_field(Writer *out, const Event *event, const Field *field)
{
    static const struct {
        int least, most;
    } bounds[] = {[REQUIRED_ID] = {1, MAX_ID}, [ID] = {1, MAX_ID}, [REQUIRED_TEXT] = {1, MAX_TEXT},
                  [SHORT_TEXT] = {0, MAX_TEXT}, [REQUIRED_LINK] = {1, MAX_URL}, [LINK] = {0, MAX_URL},
                  [AGENT] = {0, MAX_AGENT}};
    const Value *value = &event->members[field->member];
    int is_missing = value->is == ABSENT || value->is == NOTHING;
    switch (field->is) {
    case TIME:
        if (is_missing || (value->is == NUMBER && value->number >= 0 && value->number <= MAX_DWELL_MS))
            return put_value(out, value);
        return 0;
    case FLAG:
        return (is_missing || value->is == NO || value->is == YES)
            && put_headed(out, value->is == YES ? 0xc3 : 0xc2, 0, 0);
    case MAP:
    case REQUIRED_MAP:
        if (is_missing && field->is == MAP)
            return put_map(out, 0);
        return value->is == OBJECT && put_map(out, event->map_count)
            && put(out, event->map_begin, event->map.at - event->map_begin);
    case BOUNCE: return is_one_of(value, BOUNCES) && put_value(out, value);
    case DEED: return is_one_of(value, DEEDS) && put_value(out, value);
    case ID:
    case SHORT_TEXT:
    case LINK:
    case AGENT:
        if (is_missing)
            return put_value(out, value);
        break;
    }
    return value->is == TEXT && fits(value, bounds[field->is].least, bounds[field->is].most) && put_value(out, value);
}

/* ---------------------------------------------------------------- the row */

typedef struct {
    PyObject_VAR_HEAD
    int64_t received_ms, occurred_ms;
    uint32_t crc;
    int kind;
    int row_bytes, id_at, id_bytes, email_bytes, anonymous_bytes; /* -1: there is none */
    char data[];                                                  /* the row, the address, the visitor's id */
} Row;

static PyTypeObject RowType;

static PyObject *text_of(const Row *row, int at, int bytes)
{
    if (bytes < 0)
        Py_RETURN_NONE;
    return PyUnicode_DecodeUTF8(row->data + at, bytes, NULL);
}

#define GETTER(name, value)                                                                                            \
    static PyObject *name(PyObject *self, void *unused)                                                                \
    {                                                                                                                  \
        const Row *row = (const Row *)self;                                                                            \
        (void)unused;                                                                                                  \
        return value;                                                                                                  \
    }

GETTER(get_lead_id, text_of(row, row->id_at, row->id_bytes))
GETTER(get_email, text_of(row, row->row_bytes, row->email_bytes))
GETTER(get_anonymous_id, text_of(row, row->row_bytes + Py_MAX(0, row->email_bytes), row->anonymous_bytes))
GETTER(get_kind, Py_NewRef(kind_texts[row->kind]))
GETTER(get_received, PyLong_FromLongLong(row->received_ms))
GETTER(get_occurred, PyLong_FromLongLong(row->occurred_ms))
GETTER(get_crc, PyLong_FromUnsignedLong(row->crc))
GETTER(get_is_named_once, PyBool_FromLong(row->email_bytes < 0 && row->anonymous_bytes < 0))

static PyGetSetDef row_getters[] = {
    {"lead_id", get_lead_id, NULL, NULL, NULL},
    {"email", get_email, NULL, NULL, NULL},
    {"anonymous_id", get_anonymous_id, NULL, NULL, NULL},
    {"kind", get_kind, NULL, NULL, NULL},
    {"received_at_ms", get_received, NULL, NULL, NULL},
    {"occurred_at_ms", get_occurred, NULL, NULL, NULL},
    {"lead_crc", get_crc, NULL, NULL, NULL},
    {"is_named_once", get_is_named_once, NULL, NULL, NULL},
    {NULL},
};

static int row_buffer(PyObject *self, Py_buffer *view, int flags)
{
    Row *row = (Row *)self;
    return PyBuffer_FillInfo(view, self, row->data, row->row_bytes, 1, flags);
}

static PyBufferProcs row_as_buffer = {.bf_getbuffer = row_buffer};

static PyTypeObject RowType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "schemas.native_rows.NativeRow",
    .tp_doc = "A row of the log that is encoded already; its buffer is the encoding.",
    .tp_basicsize = offsetof(Row, data),
    .tp_itemsize = 1,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_getset = row_getters,
    .tp_as_buffer = &row_as_buffer,
};

static uint32_t crc32_of(const char *at, Py_ssize_t bytes)
{
    uint32_t crc = UINT32_MAX;
    for (; bytes; bytes--, at++)
        crc = (crc >> 8) ^ crc_table[(crc ^ (unsigned char)*at) & 0xff];
    return ~crc;
}

static int kind_of(const Value *value)
{
    for (int kind = 0; value->is == TEXT && kind < KIND_COUNT; kind++)
        if (is_text(value, KINDS[kind].name))
            return kind;
    return -1;
}

static int is_name(const Value *value, int most)
{
    return value->is == TEXT && fits(value, 1, most);
}

static PyObject *new_row(const Event *event, int kind, int64_t received_ms, int64_t occurred_ms)
{
    char room[ROOM];
    Writer out = {room, room + ROOM};
    const Value *lead = &event->lead_id, *source = &event->members[SOURCE];
    const Value empty = {TEXT, 0, "", 0, 0};
    int has_email = event->email.is == TEXT, has_visitor = event->anonymous_id.is == TEXT;
    if (!put_headed(&out, (unsigned char)(0x90 | (6 + KINDS[kind].count)), 0, 0) || !put_number(&out, KINDS[kind].tag)
        || !put_value(&out, lead))
        return NULL;
    int id_at = (int)(out.at - room - lead->bytes);
    if (!put_number(&out, received_ms) || !put_number(&out, occurred_ms) || !put_value(&out, &event->members[EVENT_ID])
        || !put_value(&out, source->is == TEXT ? source : &empty))
        return NULL;
    for (int field = 0; field < KINDS[kind].count; field++)
        if (!put_field(&out, event, &KINDS[kind].fields[field]))
            return NULL;
    int row_bytes = (int)(out.at - room);
    if ((has_email && !put(&out, event->email.at, event->email.bytes))
        || (has_visitor && !put(&out, event->anonymous_id.at, event->anonymous_id.bytes)))
        return NULL;
    Row *row = PyObject_NewVar(Row, &RowType, out.at - room);
    if (row == NULL)
        return NULL;
    row->received_ms = received_ms;
    row->occurred_ms = occurred_ms;
    row->crc = crc32_of(lead->at, lead->bytes);
    row->kind = kind;
    row->row_bytes = row_bytes;
    row->id_at = id_at;
    row->id_bytes = (int)lead->bytes;
    row->email_bytes = has_email ? (int)event->email.bytes : -1;
    row->anonymous_bytes = has_visitor ? (int)event->anonymous_id.bytes : -1;
    memcpy(row->data, room, (size_t)(out.at - room));
    return (PyObject *)row;
}

static PyObject *read_row(const char *raw, Py_ssize_t bytes, int64_t received_ms)
{
    char map[ROOM];
    Event event;
    memset(&event, 0, sizeof event);
    event.map_begin = map;
    event.map = (Writer){map, map + ROOM};
    if (bytes > MOST_BYTES || received_ms < 0 || received_ms > MAX_TIME_MS || !read_members(raw, raw + bytes, &event))
        return NULL;
    const Value *lead = &event.lead_id, *email = &event.email, *visitor = &event.anonymous_id;
    const Value *source = &event.members[SOURCE];
    if (!is_name(lead, MAX_ID) || (lead->bytes > 1 && (*lead->at == 'a' || *lead->at == 'e') && lead->at[1] == ':'))
        return NULL;
    if ((email->is > NOTHING && !is_name(email, MAX_EMAIL)) || (visitor->is > NOTHING && !is_name(visitor, MAX_ID)))
        return NULL;
    if (!is_name(&event.members[EVENT_ID], MAX_ID))
        return NULL;
    if (source->is > NOTHING && !(source->is == TEXT && fits(source, 0, MAX_ID)))
        return NULL;
    int kind = kind_of(&event.members[KIND]);
    int64_t occurred_ms = read_time(&event.members[OCCURRED_AT]);
    if (kind < 0 || occurred_ms < 0)
        return NULL;
    if (received_ms - occurred_ms > MAX_AGE_MS || occurred_ms - received_ms > MAX_AHEAD_MS)
        return NULL;
    return new_row(&event, kind, received_ms, occurred_ms);
}

static PyObject *read_event(PyObject *module, PyObject *const *arguments, Py_ssize_t count)
{
    (void)module;
    if (count != 2 || !PyLong_Check(arguments[1]))
        return PyErr_Format(PyExc_TypeError, "read_event takes bytes or None, and milliseconds");
    int overflow;
    long long received_ms = PyLong_AsLongLongAndOverflow(arguments[1], &overflow);
    if (PyErr_Occurred())
        return NULL;
    PyObject *row = NULL;
    if (PyBytes_CheckExact(arguments[0]) && !overflow)
        row = read_row(PyBytes_AS_STRING(arguments[0]), PyBytes_GET_SIZE(arguments[0]), received_ms);
    if (row != NULL || PyErr_Occurred())
        return row;
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"read_event", (PyCFunction)(void (*)(void))read_event, METH_FASTCALL,
     "The row of an event; None where `schemas.wire` is to read it."},
    {NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "native_rows", .m_size = -1, .m_methods = methods};

static void fill_tables(void)
{
    memset(places, 0, sizeof places);
    for (int member = 0; member < MEMBERS; member++) {
        unsigned place = place_of(NAMES[member], (Py_ssize_t)strlen(NAMES[member]));
        while (places[place])
            place = (place + 1) & 127;
        places[place] = (signed char)(member + 1);
    }
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320u : 0);
        crc_table[byte] = crc;
    }
}

PyMODINIT_FUNC PyInit_native_rows(void)
{
    fill_tables();
    for (int kind = 0; kind < KIND_COUNT; kind++)
        if ((kind_texts[kind] = PyUnicode_InternFromString(KINDS[kind].name)) == NULL)
            return NULL;
    PyObject *module;
    if (PyType_Ready(&RowType) < 0 || (module = PyModule_Create(&definition)) == NULL)
        return NULL;
    if (PyModule_AddObjectRef(module, "NativeRow", (PyObject *)&RowType) < 0) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
