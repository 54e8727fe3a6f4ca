import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** The job on Kafka Streams' Processor API. The argument says where leads are: memory or rocksdb. */
public class StreamsJob {
  static class Codec implements Serializer<Lead>, Deserializer<Lead> {
    @Override public void configure(Map<String, ?> settings, boolean key) {}
    @Override public void close() {}

    @Override public byte[] serialize(String topic, Lead lead) {
      if (lead == null) return null;
      byte flags = (byte) (lead.tier | (lead.senior ? 4 : 0) | (lead.repeated ? 8 : 0) | (lead.together ? 16 : 0));
      return ByteBuffer.allocate(101).put(flags).putInt(lead.seq).putLong(lead.form).putLong(lead.bounce)
          .putLong(lead.session1).putLong(lead.visited1).putLong(lead.session2).putLong(lead.visited2)
          .putLong(lead.message1).putLong(lead.opened1).putLong(lead.message2).putLong(lead.opened2)
          .putLong(lead.message3).putLong(lead.opened3).array();
    }

    @Override public Lead deserialize(String topic, byte[] bytes) {
      if (bytes == null) return null;
      ByteBuffer in = ByteBuffer.wrap(bytes);
      Lead lead = new Lead();
      byte flags = in.get();
      lead.tier = flags & 3;
      lead.senior = (flags & 4) != 0;
      lead.repeated = (flags & 8) != 0;
      lead.together = (flags & 16) != 0;
      lead.seq = in.getInt();
      lead.form = in.getLong();
      lead.bounce = in.getLong();
      lead.session1 = in.getLong();
      lead.visited1 = in.getLong();
      lead.session2 = in.getLong();
      lead.visited2 = in.getLong();
      lead.message1 = in.getLong();
      lead.opened1 = in.getLong();
      lead.message2 = in.getLong();
      lead.opened2 = in.getLong();
      lead.message3 = in.getLong();
      lead.opened3 = in.getLong();
      return lead;
    }
  }

  static class Score implements Processor<byte[], byte[], String, byte[]> {
    private KeyValueStore<String, Lead> leads;
    private ProcessorContext<String, byte[]> context;

    @Override public void init(ProcessorContext<String, byte[]> context) {
      this.context = context;
      leads = context.getStateStore("leads");
    }

    @Override public void process(Record<byte[], byte[]> record) {
      Signal signal;
      try {
        signal = Signal.of(record.value());
      } catch (IOException error) {
        throw new IllegalArgumentException(error);
      }
      if (signal == null) return;
      Lead lead = leads.get(signal.lead);
      if (lead == null) lead = new Lead();
      String change = lead.take(signal);
      leads.put(signal.lead, lead);
      if (change != null) context.forward(new Record<>(signal.lead, change.getBytes(StandardCharsets.UTF_8), record.timestamp()));
    }
  }

  public static void main(String[] arguments) {
    Properties settings = new Properties();
    settings.put("application.id", System.getenv("NAME"));
    settings.put("bootstrap.servers", System.getenv("BOOTSTRAP"));
    settings.put("state.dir", System.getenv("LOCAL"));
    settings.put("num.stream.threads", "1");
    settings.put("processing.guarantee", "at_least_once");
    settings.put("commit.interval.ms", "5000");
    settings.put("statestore.cache.max.bytes", String.valueOf(64 << 20));
    settings.put("buffered.records.per.partition", "20000");
    settings.put("auto.offset.reset", "earliest");
    settings.put("max.poll.records", "5000");
    settings.put("fetch.max.bytes", String.valueOf(8 << 20));
    settings.put("max.partition.fetch.bytes", String.valueOf(2 << 20));
    settings.put("producer.acks", "all");
    settings.put("producer.linger.ms", "20");
    settings.put("producer.batch.size", String.valueOf(256 << 10));
    // Otherwise who starts it again waits until the session of the one before has ended.
    settings.put("internal.leave.group.on.close", true);

    var store = arguments[0].equals("memory") ? Stores.inMemoryKeyValueStore("leads") : Stores.persistentKeyValueStore("leads");
    var codec = Serdes.serdeFrom(new Codec(), new Codec());
    Topology topology = new Topology();
    topology.addSource("raw", new ByteArrayDeserializer(), new ByteArrayDeserializer(), System.getenv("SOURCE"));
    topology.addProcessor("score", Score::new, "raw");
    topology.addStateStore(Stores.keyValueStoreBuilder(store, Serdes.String(), codec).withCachingEnabled(), "score");
    topology.addSink("changes", System.getenv("OUTPUT"), new StringSerializer(), new ByteArraySerializer(), "score");
    KafkaStreams streams = new KafkaStreams(topology, settings);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(Duration.ofSeconds(20))));
    streams.start();
  }
}
